//! samod behind the commands that the benchmark gives to every peer; ../README.md lists them.

mod command;
mod counted;
mod fanout;
mod folder;
mod pieces;
mod sync;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let given = std::env::args().skip(1).collect::<Vec<_>>();
    match command::carry_out(&given).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            pieces::say(&serde_json::json!({ "failed": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}
