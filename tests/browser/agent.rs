//! An agent's day at the desktop.

use crate::desktop::{Desktop, happenings};
use crate::gateway::{Colleague, Gateway};

#[tokio::test]
async fn an_agent_logs_in_works_and_logs_out() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::at(gateway.web).await;
    desktop.shows_link("Not connected").await;
    desktop.connects().await;
    desktop.shows_state("State unknown").await;
    desktop.logs_in("1001", "pw1001").await;
    desktop.says("LoginAgent: done.").await;
    desktop.shows_state("Not ready").await;
    desktop.presses("ready").await;
    desktop.shows_state("Ready").await;
    desktop.chooses_reason("lunch").await;
    desktop.presses("not-ready").await;
    desktop.shows_state("Not ready: lunch").await;
    desktop.presses("ready").await;
    desktop.shows_state("Ready").await;
    desktop.presses("after-call").await;
    desktop.shows_state("After-call work").await;
    desktop.chooses_reason("end of shift").await;
    desktop.presses("logout").await;
    desktop.shows_state("Logged out: end of shift").await;
    desktop.says("LogoutAgent: done.").await;

    let rows = desktop.rows_from(1).await;
    let expected = [
        "1001 Login",
        "1001 NotReady",
        "1001 Ready",
        "1001 NotReady lunch",
        "1001 Ready",
        "1001 NotReady",
        "1001 Logout end of shift",
    ];
    assert_eq!(happenings(&rows), expected);
    assert!(rows.last().is_some_and(|row| row.what.starts_with("Snapshot Logout")), "{rows:#?}");
    desktop.is_sound();
}

#[tokio::test]
async fn a_refused_login_says_why_and_leaves_the_agent_out() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::at(gateway.web).await;
    desktop.connects().await;
    desktop.logs_in("1001", "wrong").await;
    desktop.says("LoginAgent: ").await;
    desktop.says("(OPENCTI_HTTP_ERROR_401)").await;
    desktop.shows_state("State unknown").await;
    desktop.logs_in("1001", "pw1001").await;
    desktop.shows_state("Not ready").await;
    desktop.is_sound();
}

#[tokio::test]
async fn what_others_do_to_the_agent_is_shown() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    let mut colleague = Colleague::of(&gateway).await;
    colleague.makes_ready("1001").await;
    desktop.shows_state("Ready").await;
    colleague.makes_not_ready("1001", "meeting").await;
    desktop.shows_state("Not ready: meeting").await;
    colleague.logs_out("1001").await;
    desktop.shows_state("Logged out").await;
    let rows = desktop.rows_from(1).await;
    assert_eq!(
        happenings(&rows),
        ["1001 Login", "1001 NotReady", "1001 Ready", "1001 NotReady meeting", "1001 Logout"]
    );
    desktop.is_sound();
}

#[tokio::test]
async fn whoever_disconnects_is_told_so_and_can_connect_again() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    desktop.presses("disconnect").await;
    desktop.shows_link("Not connected").await;
    desktop.shows_state("State unknown").await;
    desktop.connects().await;
    desktop.shows_state("Not ready").await; // a goodbye leaves the agent as it is
    desktop.rows_from(1).await; // of this session alone
    desktop.is_sound();
}

#[tokio::test]
async fn an_agent_handles_calls() {
    let gateway = Gateway::start();
    let mut desktop = Desktop::of_agent_1001(gateway.web).await;
    let mut colleague = Colleague::of(&gateway).await;
    colleague.logs_in("1002", "3002").await;
    desktop.dials("3002").await;
    desktop.shows_call("Dialling").await;
    desktop.shows_call("Talking").await;
    desktop.does("holdCall").await;
    desktop.shows_call("On hold").await;
    desktop.does("retrieveCall").await;
    desktop.shows_call("Talking").await;
    desktop.does("hangUpCall").await;
    desktop.shows_no_call().await;
    desktop.is_sound();
}
