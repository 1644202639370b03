//! Many agents over the one link.

use std::time::Duration;

use super::desk::*;
use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_agents_in_three_queues_are_found_again_within_a_second() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut bridge = Desk::bridge(served.address).await;
    for agent in 1001..=2000 {
        bridge.starts_asking(&agent.to_string(), LOGIN, |_| ()).await;
    }
    let mut console = asterisk.console().await;
    console.until("all are in", |members| members.len() == 3_000).await;
    drop(bridge);
    served.gateway.drain().await;
    let before = tokio::time::Instant::now();
    let served = gateway(asterisk.port, TALKERS, "").await; // returns when the table is rebuilt
    let took = before.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let mut bridge = Desk::bridge(served.address).await;
    for agent in ["1001", "1500", "2000"] {
        assert_eq!(bridge.queries(agent).await, (NOT_READY, vec![1, 2, 3]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_agents_log_in_and_out_over_one_link_and_nobody_is_left() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut bridges = Vec::new();
    for chunk in 0..40 {
        let mut bridge = Desk::bridge(served.address).await;
        bridges.push(tokio::spawn(async move {
            for agent in 10_000 + chunk * 50..10_050 + chunk * 50 {
                bridge.does(&agent.to_string(), LOGIN).await;
            }
            bridge
        }));
    }
    let mut full = Vec::new();
    for bridge in bridges {
        full.push(bridge.await.expect("all logged in"));
    }
    assert_eq!(console.members().await.len(), 6_000);
    let mut leaving = Vec::new();
    for (chunk, mut bridge) in full.into_iter().enumerate() {
        leaving.push(tokio::spawn(async move {
            for agent in 10_000 + chunk * 50..10_050 + chunk * 50 {
                bridge.does(&agent.to_string(), LOGOUT).await;
            }
        }));
    }
    for bridge in leaving {
        bridge.await.expect("all logged out");
    }
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asterisk_that_is_killed_under_hundreds_of_agents_leaves_no_ghost_and_no_half_logout() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut agents = Vec::new();
    for agent in 1001..1301 {
        let (address, stop) = (served.address, stop.clone());
        agents.push(tokio::spawn(async move {
            let agent = agent.to_string();
            let mut desk = Desk::of_agent(address, &agent).await;
            // Whatever is answered: refusals are what an outage brings.
            while !stop.is_cancelled() {
                for state in [LOGIN, READY, NOT_READY, LOGOUT] {
                    if desk.asks(&agent, state, |_| ()).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(20)).await; // a desktop would not hammer either
                    }
                }
            }
            desk
        }));
    }
    for wait in [700, 1_300] {
        tokio::time::sleep(Duration::from_millis(wait)).await; // under load for so long
        asterisk.kill().await;
        asterisk.up().await;
    }
    stop.cancel();
    let mut desks = Vec::new();
    for agent in agents {
        desks.push(agent.await.expect("no agent's test failed"));
    }
    let mut console = asterisk.console().await;
    for (at, desk) in desks.iter_mut().enumerate() {
        let agent = (1001 + at).to_string();
        let mut is_out = desk.asks(&agent, LOGOUT, |_| ()).await;
        while matches!(&is_out, Err(words) if !words.contains("not logged in") && !words.contains("not known")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            is_out = desk.asks(&agent, LOGOUT, |_| ()).await;
        }
    }
    console.until("nobody is left", Members::is_empty).await;
    for (at, desk) in desks.iter_mut().enumerate() {
        assert_eq!(desk.queries(&(1001 + at).to_string()).await, (LOGOUT, vec![]));
    }
}
