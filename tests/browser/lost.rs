//! Desktops that lose the gateway: what they missed is shown once, and the agent is still in.

use crate::cable::Cable;
use crate::desktop::{Desktop, happenings};
use crate::gateway::{Colleague, Gateway};

#[tokio::test]
async fn a_pulled_cable_costs_no_event_and_doubles_none() {
    goes_on_after(Cable::is_pulled).await;
}

#[tokio::test]
async fn a_cable_that_falls_silent_is_noticed_and_costs_no_event() {
    goes_on_after(Cable::falls_silent).await;
}

async fn goes_on_after(fault: impl Fn(&Cable)) {
    let cable = Cable::new().await;
    let gateway = Gateway::with(&format!("origins = [\"http://{}\"]\n", cable.address));
    cable.leads_to(gateway.web);
    let mut desktop = Desktop::of_agent_1001(cable.address).await;
    let mut colleague = Colleague::of(&gateway).await;
    let before = desktop.rows_from(1).await;

    for round in [["break", "lunch"], ["meeting", "training"]] {
        fault(&cable);
        desktop.shows_link("Reconnecting").await;
        for reason in round {
            colleague.makes_ready("1001").await;
            colleague.makes_not_ready("1001", reason).await;
        }
        cable.is_mended();
        desktop.shows_link("Connected").await;
        desktop.shows_state(&format!("Not ready: {}", round[1])).await;
    }
    desktop.presses("ready").await;
    desktop.shows_state("Ready").await;

    let rows = desktop.rows_from(1).await;
    let expected = [
        "1001 Ready",
        "1001 NotReady break",
        "1001 Ready",
        "1001 NotReady lunch",
        "1001 Ready",
        "1001 NotReady meeting",
        "1001 Ready",
        "1001 NotReady training",
        "1001 Ready",
    ];
    assert_eq!(happenings(&rows[before.len()..]), expected, "{rows:#?}");
    desktop.is_sound();
}

#[tokio::test]
async fn a_page_that_is_loaded_anew_goes_on_with_its_session() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    let mut colleague = Colleague::of(&gateway).await;
    let last = desktop.rows_from(1).await.len() as u64;
    desktop.browser.reload().await;
    desktop.shows_link("Connected").await;
    desktop.says("The session goes on where it was.").await;
    desktop.shows_state("Not ready").await;
    colleague.makes_ready("1001").await;
    desktop.shows_state("Ready").await;
    assert_eq!(happenings(&desktop.rows_from(last + 1).await), ["1001 Ready"]);
    desktop.presses("logout").await;
    desktop.shows_state("Logged out").await;
    desktop.is_sound();
}

#[tokio::test]
async fn what_happens_while_the_page_is_away_is_shown_when_it_is_back() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    let mut colleague = Colleague::of(&gateway).await;
    let last = desktop.rows_from(1).await.len() as u64;
    desktop.browser.open("about:blank").await;
    colleague.makes_ready("1001").await;
    colleague.makes_not_ready("1001", "break").await;
    desktop.browser.open(&format!("http://{}/try", gateway.web)).await;
    desktop.shows_state("Not ready: break").await;
    assert_eq!(happenings(&desktop.rows_from(last + 1).await), ["1001 Ready", "1001 NotReady break"]);
    desktop.is_sound();
}

#[tokio::test]
async fn a_gateway_that_was_started_anew_has_forgotten_the_session_and_the_page_says_so() {
    let cable = Cable::new().await;
    let first = Gateway::start();
    cable.leads_to(first.web);
    let mut desktop = Desktop::of_agent_1001(cable.address).await;
    cable.is_pulled();
    drop(first);
    desktop.shows_link("Reconnecting").await;
    let second = Gateway::start();
    cable.leads_to(second.web);
    cable.is_mended();
    desktop.shows_link("Connected").await;
    desktop.says("The session was not resumed in full, events are lost").await;
    desktop.shows_state("Logged out").await;
    desktop.is_sound();
}

#[tokio::test]
async fn a_page_that_is_loaded_anew_asks_for_the_secret_that_it_did_not_keep() {
    let gateway = Gateway::with("[[client]]\nid = \"desk\"\npassword = \"s3cret\"\nagents = [\"*\"]\n");
    let mut desktop = Desktop::at(gateway.web).await;
    desktop.presses("connect").await;
    desktop.says("(OPENCTI_HTTP_ERROR_401)").await;
    desktop.browser.write("secret", "s3cret").await;
    desktop.connects().await;
    desktop.logs_in("1001", "pw1001").await;
    desktop.says("LoginAgent: done.").await;
    desktop.browser.reload().await;
    desktop.says("The session waits: give the secret").await;
    desktop.shows_link("Not connected").await;
    desktop.browser.write("secret", "s3cret").await;
    desktop.connects().await;
    desktop.says("The session goes on where it was.").await;
    desktop.shows_state("Not ready").await;
    desktop.is_sound();
}
