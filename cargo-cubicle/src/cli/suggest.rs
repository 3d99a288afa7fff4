use super::arguments::SuggestOptions;
use super::foreground::Ending;
pub fn run(_options: &SuggestOptions) -> anyhow::Result<Ending> {
    Ok(Ending::Status(0))
}
