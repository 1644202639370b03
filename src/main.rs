//! x
#[tokio::main] async fn main(){ tracing_subscriber::fmt().with_writer(std::io::stderr).init(); let g=ctigate::server::Gateway::start(Default::default()).await.unwrap(); println!("{:?}", g.listeners()); tokio::signal::ctrl_c().await.unwrap(); g.drain().await; }
