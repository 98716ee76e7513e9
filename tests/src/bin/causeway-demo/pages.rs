//! The pages of everybody who takes part, and the accounts with which to look at them.

use std::io::{IsTerminal, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use totp_rs::{Algorithm, Builder, Secret};

use crate::member::Member;
use crate::stage::{COORDINATOR, HUBS, Stage};

/// Everybody's password. These nodes are made up, and take accounts for trying out alone.
const PASSWORD: &str = "three quiet lanes and a hedge";
/// The secret of everybody's second factor, in base 32.
const SECRET: &str = "MNQXK43FO5QXSIDUNBUXGIDJOM";
/// How long a code holds, in seconds.
const CODE_SECONDS: u64 = 30;
/// How long a page may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes the accounts that are not there yet.
///
/// # Errors
/// What a node refused.
pub(crate) async fn make_accounts(stage: &Stage) -> Result<()> {
    for member in 0..stage.members.len() {
        let standing = stage.members[member].command(&["account", "list"]).await?;
        for (role, holder) in roles(stage, member).await? {
            let email = email(&stage.members[member], role);
            let there = standing.as_array().into_iter().flatten();
            if there.into_iter().any(|account| account["email"] == *email) {
                continue;
            }
            let words = [
                "account",
                "add",
                &name(role),
                &email,
                "--role",
                role,
                "--holder",
                &holder,
                "--trying-out",
                PASSWORD,
                "--secret",
                SECRET,
            ];
            stage.members[member].command(&words).await?;
        }
    }
    Ok(())
}

/// Says where the pages are, and as whom to look at them.
pub(crate) fn tell(stage: &Stage) {
    println!("\n   Open the pages in a browser; every account has the password \"{PASSWORD}\":\n");
    for (index, member) in stage.members.iter().enumerate() {
        println!(
            "   {:<28} http://localhost:{}/",
            member.name,
            member.pages().port()
        );
        for role in names(index) {
            println!("   {:<28}    {:<22} {}", "", role, email(member, role));
        }
    }
    println!("\n   After the password a page asks for a code, as a telephone would show it.");
}

/// Shows the code of the second factor for as long as somebody looks.
pub(crate) async fn show_codes() {
    let (live, mut last) = (std::io::stdout().is_terminal(), None);
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let step = now / CODE_SECONDS;
        if last != Some(step) && (live || last.is_none()) {
            let again = if live && last.is_some() { "\r" } else { "" };
            print!(
                "{again}   The code at this moment: {}  ",
                code(now).unwrap_or_default()
            );
            if !live {
                println!("(from the secret {SECRET})");
            }
            let _shown = std::io::stdout().flush();
            last = Some(step);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// How many members' sign-in pages answer.
///
/// # Errors
/// The member whose page does not.
pub(crate) async fn answering(stage: &Stage) -> Result<usize> {
    for member in &stage.members {
        let page = tokio::time::timeout(PATIENCE, sign_in_page(member)).await;
        let page = page.context("it took too long").and_then(|page| page);
        let page = page.with_context(|| format!("the pages of {}", member.name))?;
        ensure!(
            page.starts_with("HTTP/1.1 200") && page.contains("Sign in"),
            "the sign-in page of {} is not as it should be",
            member.name
        );
    }
    Ok(stage.members.len())
}

async fn sign_in_page(member: &Member) -> Result<String> {
    let address = member.pages();
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).await?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// The roles of a member's accounts, without those that need a holder whom it does not have.
async fn roles(stage: &Stage, member: usize) -> Result<Vec<(&'static str, String)>> {
    let mut roles = Vec::new();
    for role in names(member) {
        let holder = match *role {
            "work group lead" => match leader(stage, member).await? {
                Some(leader) => leader,
                None => continue,
            },
            "policy guest" => "Department for Education".to_owned(),
            _ => String::new(),
        };
        roles.push((*role, holder));
    }
    Ok(roles)
}

/// The roles that have accounts at a member.
fn names(member: usize) -> &'static [&'static str] {
    if member == COORDINATOR {
        &["operator", "analyst", "policy guest"]
    } else {
        debug_assert!(HUBS.contains(&member));
        &["hub lead", "administrator", "work group lead"]
    }
}

/// The card of somebody who leads a work group of a hub.
async fn leader(stage: &Stage, hub: usize) -> Result<Option<String>> {
    for group in stage.groups_of(hub) {
        let shown = stage.members[hub].show(&group.record).await?;
        let leader = shown.fields["leaders"][0]["person"].as_str();
        if let Some(leader) = leader.filter(|leader| !leader.is_empty()) {
            return Ok(Some(leader.to_owned()));
        }
    }
    Ok(None)
}

fn email(member: &Member, role: &str) -> String {
    format!("{}@{}.example", role.replace(' ', "-"), member.code)
}

fn name(role: &str) -> String {
    format!("Demo {role}")
}

fn code(now_seconds: u64) -> Result<String> {
    let secret = Secret::try_from_base32(SECRET)
        .ok()
        .context("the secret is base 32")?;
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(CODE_SECONDS)
        .with_secret(secret)
        .build();
    let totp = totp.ok().context("the secret is long enough")?;
    Ok(totp.generate(now_seconds).to_string())
}
