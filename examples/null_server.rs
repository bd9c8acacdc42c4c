//! A server with exactly known answers, as a process of its own:
//! `null_server PORT [SCRIPT]`, where `SCRIPT` is a JSON object with fields of
//! `serving::null_server::Script`, for example `{"first_us":2000,"gap_us":500}`.
//! Port 0 lets the system choose; the first line tells the address.

use evenhand::serving::null_server::{NullServer, Script};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("null_server: {problem}");
            ExitCode::from(2)
        }
    }
}

fn serve() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments
        .next()
        .ok_or("usage: null_server PORT [SCRIPT]")?
        .parse()
        .map_err(|_| "PORT must be a number from 0 to 65535")?;
    let script = match arguments.next() {
        Some(json) => serde_json::from_str(&json).map_err(|e| format!("SCRIPT: {e}"))?,
        None => Script::default(),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = NullServer::start(address, script).map_err(|e| format!("{address}: {e}"))?;
    println!("null_server: ready {}", server.address());
    loop {
        std::thread::park();
    }
}
