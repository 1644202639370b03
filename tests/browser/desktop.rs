//! The page in a browser as an agent uses it: presses, and reads what it shows. Not here: what it ought to show.

use std::net::SocketAddr;

use serde_json::Value;

use crate::chromium::Chromium;

/// The desktop, open in a browser of its own.
pub struct Desktop {
    pub browser: Chromium,
}

/// A row of the event list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub seq: u64,
    /// Its name; of a snapshot, the state that it shows.
    pub what: String,
    pub agent: String,
    pub reason: String,
}

impl Desktop {
    pub async fn at(address: SocketAddr) -> Desktop {
        let mut browser = Chromium::start().await;
        browser.open(&format!("http://{address}/try")).await;
        Desktop { browser }
    }

    /// Connected, and agent 1001 logged in at 3001.
    pub async fn of_agent_1001(address: SocketAddr) -> Desktop {
        let mut desktop = Desktop::at(address).await;
        desktop.connects().await;
        desktop.logs_in("1001", "pw1001").await;
        desktop.shows_state("Not ready").await;
        desktop.says("LoginAgent: done.").await;
        desktop
    }

    pub async fn connects(&mut self) {
        self.presses("connect").await;
        self.shows_link("Connected").await;
    }

    pub async fn logs_in(&mut self, agent: &str, password: &str) {
        for (field, text) in [("agent-id", agent), ("password", password), ("dn", "3001"), ("queue", "sales")] {
            self.browser.write(field, text).await;
        }
        self.presses("login").await;
    }

    /// Presses a button that can be pressed.
    pub async fn presses(&mut self, button: &str) {
        let button = format!("document.getElementById('{button}')");
        self.until(&format!("!{button}.disabled")).await;
        self.browser.click(&button).await;
    }

    /// Takes a reason from those that the gateway offers.
    pub async fn chooses_reason(&mut self, name: &str) {
        let choice = format!("document.querySelector('#reason option[value=\"{name}\"]')");
        self.until(&format!("{choice} !== null")).await;
        self.browser.evaluate(&format!("{choice}.selected = true")).await;
    }

    /// Calls a number.
    pub async fn dials(&mut self, number: &str) {
        self.browser.write("destination", number).await;
        self.presses("call").await;
    }

    /// Waits for a call that is shown so.
    pub async fn shows_call(&mut self, state: &str) {
        self.until(&format!("document.querySelector('#calls .pill')?.textContent === '{state}'")).await;
    }

    pub async fn shows_no_call(&mut self) {
        self.until("document.querySelector('#calls li') === null").await;
    }

    /// Presses a call's button.
    pub async fn does(&mut self, activity: &str) {
        let button = format!("document.querySelector('#calls [data-activity={activity}]')");
        self.until(&format!("{button} !== null")).await;
        self.browser.click(&button).await;
    }

    pub async fn shows_link(&mut self, text: &str) {
        self.until(&format!("document.getElementById('link').textContent === '{text}'")).await;
    }

    pub async fn shows_state(&mut self, text: &str) {
        self.until(&format!("document.getElementById('state').textContent === '{text}'")).await;
    }

    /// Waits for a message that has these words.
    pub async fn says(&mut self, words: &str) {
        self.until(&format!("document.getElementById('messages').textContent.includes({words:?})")).await;
    }

    /// The events listed so far, the first one first.
    pub async fn rows(&mut self) -> Vec<Row> {
        let rows =
            "[...document.querySelectorAll('#events tr')].map((row) => [...row.cells].map((cell) => cell.textContent))";
        let rows = self.browser.evaluate(rows).await;
        let mut rows: Vec<Row> = rows.as_array().expect("rows").iter().map(Row::of).collect();
        rows.reverse();
        rows
    }

    /// The rows whose numbers begin there, once they are seen to have no gap and nothing twice.
    pub async fn rows_from(&mut self, first: u64) -> Vec<Row> {
        let rows = self.rows().await;
        let seqs: Vec<u64> = rows.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, (first..first + rows.len() as u64).collect::<Vec<_>>(), "{rows:#?}");
        rows
    }

    /// Waits until an expression is true; if it never is, says what the page shows instead.
    async fn until(&mut self, expression: &str) {
        if let Err(why) = self.browser.becomes_true(expression).await {
            let shown = self.browser.evaluate("document.body.innerText").await;
            panic!("{why}\n{}\n{:#?}", shown.as_str().unwrap_or_default(), self.browser.complaints());
        }
    }

    /// The browser found nothing wrong with the page.
    pub fn is_sound(&self) {
        assert!(self.browser.complaints().is_empty(), "{:#?}", self.browser.complaints());
    }
}

impl Row {
    fn of(cells: &Value) -> Row {
        let cell = |at: usize| cells[at].as_str().expect("a text").to_owned();
        let what = if cell(2) == "Snapshot" { format!("Snapshot {}", cell(7)) } else { cell(2) };
        Row { seq: cell(0).parse().expect("a number"), what, agent: cell(4), reason: cell(6) }
    }
}

/// What the rows say in short, but for snapshots: those tell how things stand, not what happened.
pub fn happenings(rows: &[Row]) -> Vec<String> {
    let events = rows.iter().filter(|row| !row.what.starts_with("Snapshot"));
    events.map(|row| format!("{} {} {}", row.agent, row.what, row.reason).trim_end().to_owned()).collect()
}
