//! The runbook: what an alert, a connection's end or a failed step means, and what to do. Not here: printing it (`cli`).
//!
//! The pages are Markdown, each under a heading of its own name: `close-REASON`, `step-STEP`, `alert-NAME`.

const FILES: [&str; 3] =
    [include_str!("runbook/alerts.md"), include_str!("runbook/closes.md"), include_str!("runbook/steps.md")];

/// A page's name and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunbookPage {
    /// What it is found by.
    pub name: &'static str,
    /// Its text, without the heading.
    pub text: &'static str,
}

/// Every page, in order.
pub fn pages() -> impl Iterator<Item = RunbookPage> {
    FILES.iter().flat_map(|file| file.split("\n# ").skip(1)).filter_map(|page| {
        let (name, text) = page.split_once('\n')?;
        Some(RunbookPage { name: name.trim(), text: text.trim() })
    })
}

/// The page of that name.
pub fn find(name: &str) -> Option<RunbookPage> {
    pages().find(|page| page.name == name)
}
