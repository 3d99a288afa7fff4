//! .
pub fn parse(_text: &str) -> Result<super::signature::Signature, String> {
    Err(String::new())
}
