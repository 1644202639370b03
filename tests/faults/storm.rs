//! Ten thousand clients that are lost at once and come back at once.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use cti_protocol::ged188::codes::ServiceMask;
use tokio::task::JoinSet;

use crate::client::{Client, open_req};
use crate::process::{Start, descriptors_max};

const CLIENTS: usize = 10_000;
/// What this process has open besides.
const SPARE: usize = 200;
/// All come from one address, by one identity, and the old ones may still be on their way out.
const CONFIG: &str = "[limits]\nconnections_per_address_max = 20000\nsessions_per_client_max = 20000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_clients_that_come_back_at_once_are_all_served() {
    let gateway = Start::with(CONFIG).gateway();
    let mut bystander = Client::bridge(gateway.address).await;
    // Where a process may not have so many descriptors, as many as it may, until there were ten thousand.
    let at_once = CLIENTS.min((descriptors_max() as usize).saturating_sub(SPARE));
    if at_once < CLIENTS {
        // Not what the test runner would keep for itself.
        let said = format!("LEFT OUT: {at_once} clients come at once, there are too few descriptors for {CLIENTS}\n");
        std::io::stderr().write_all(said.as_bytes()).expect("somebody to tell");
    }
    let mut come_back = 0;
    while come_back < CLIENTS {
        let clients = all_at_once(gateway.address, at_once).await;
        bystander.shows_a_sign_of_life().await;
        clients.into_iter().for_each(Client::resets);
        let mut clients = all_at_once(gateway.address, at_once).await;
        bystander.shows_a_sign_of_life().await;
        for client in &mut clients {
            client.shows_a_sign_of_life().await;
        }
        come_back += clients.len();
        clients.into_iter().for_each(Client::resets);
    }
    bystander.shows_a_sign_of_life().await;
}

/// So many sessions, none of which waits for another.
async fn all_at_once(address: SocketAddr, count: usize) -> Vec<Client> {
    let start = Arc::new(tokio::sync::Barrier::new(count));
    let mut coming = JoinSet::new();
    for _ in 0..count {
        let start = Arc::clone(&start);
        coming.spawn(async move {
            start.wait().await;
            let mut client = Client::connected(address).await;
            client.opens(open_req(ServiceMask(0))).await;
            client
        });
    }
    let clients = coming.join_all().await;
    assert_eq!(clients.len(), count);
    clients
}
