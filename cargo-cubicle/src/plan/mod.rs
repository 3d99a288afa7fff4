pub mod lends;
mod nearest;
pub mod system_calls;
