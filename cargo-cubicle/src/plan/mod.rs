mod nearest;
pub mod system_calls;
