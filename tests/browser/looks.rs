//! How the desktop looks. CTIGATE_WRITE_SCREENSHOT=1 has the README's picture taken anew.

use std::path::Path;

use crate::desktop::Desktop;
use crate::gateway::{Colleague, Gateway};

#[tokio::test]
async fn nothing_is_cut_off_in_a_wide_window_or_a_narrow_one() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    desktop.browser.looks(1100, 760, "light").await;
    let mut colleague = Colleague::of(&gateway).await;
    desktop.presses("ready").await;
    desktop.shows_state("Ready").await;
    colleague.makes_not_ready("1001", "lunch").await;
    desktop.shows_state("Not ready: lunch").await;
    for (button, state) in [("ready", "Ready"), ("after-call", "After-call work"), ("ready", "Ready")] {
        desktop.presses(button).await;
        desktop.shows_state(state).await;
    }
    colleague.logs_in("1002", "3002").await;
    desktop.dials("3002").await;
    desktop.shows_call("Talking").await;
    if std::env::var_os("CTIGATE_WRITE_SCREENSHOT").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/desktop.png");
        std::fs::write(path, desktop.browser.picture().await).expect("a picture that can be written");
    }
    for width in [1100, 400, 320] {
        desktop.browser.looks(width, 760, "dark").await;
        let overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(desktop.browser.evaluate(overhang).await, 0, "at {width} pixels");
    }
}
