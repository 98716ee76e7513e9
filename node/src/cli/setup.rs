//! `setup`: init, connect and first start in one, from the invitation file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::output::{Output, moment};
use super::serve::{self, ServeArguments};
use crate::clock::now_ms;
use crate::config::WebConfig;
use crate::enrolment::{Connecting, ConnectingState, EnrolError, Invitation, Progress};
use crate::folder::{DataFolder, FolderError};
use crate::membership::Membership;
use crate::{Node, NodeError, local};

/// With which invitation.
#[derive(Debug, Args)]
pub(super) struct SetupArguments {
    /// The invitation file that NCETM sent, or `-` for standard input; without one, what was begun before
    /// goes on.
    invitation: Option<PathBuf>,
}

pub(super) async fn run(data: &Path, arguments: SetupArguments, output: Output) -> Result<()> {
    let file = arguments.invitation.as_deref();
    let invitation = file.map(Invitation::read).transpose()?;
    let say = Say(output);
    if local::connect(&DataFolder::socket(data)).await.is_ok() {
        return already_running(data, invitation.is_some(), say);
    }
    let invitation = needed(data, invitation, say)?;
    prepare(data, say).await?;
    let beside = async |node: Node| guide(node, invitation.as_ref(), say).await;
    let arguments = ServeArguments { no_link: false };
    serve::run(data, &arguments, beside).await
}

/// What setup tells whoever runs it, on standard output: for people, or an object of JSON a line.
#[derive(Clone, Copy)]
struct Say(Output);

impl Say {
    fn line(self, event: &str, text: &str) {
        match self.0 {
            Output::Json => println!("{}", json!({ "event": event, "says": text })),
            Output::Text => println!("{text}"),
        }
    }
}

/// A node that another process runs is set up; what it lacks, it is given on its pages.
fn already_running(data: &Path, invited: bool, say: Say) -> Result<()> {
    let connected = Membership::at(&DataFolder::membership_in(data))?.is_some();
    if connected || !invited {
        let how = if connected {
            "is connected"
        } else {
            "is not connected yet"
        };
        say.line(
            "running",
            &format!("the node in {} runs already, and {how}", data.display()),
        );
        return Ok(());
    }
    Err(FolderError::Locked(data.to_owned()).into())
}

/// The invitation if there is still something to ask with it. Everything that can be wrong with it for
/// this folder is found before anything is changed.
fn needed(data: &Path, invitation: Option<Invitation>, say: Say) -> Result<Option<Invitation>> {
    let Some(own) = Membership::at(&DataFolder::membership_in(data))? else {
        return not_joined(data, invitation, say);
    };
    anyhow::ensure!(
        own.coordinator.is_some(),
        "{} is a coordinator's folder; give a node one of its own",
        data.display()
    );
    if let Some(invitation) = invitation {
        if invitation.network != own.network {
            return Err(NodeError::OtherNetwork.into());
        }
        anyhow::ensure!(
            invitation.hub == own.hub,
            "this node belongs to another hub than {}, for which the invitation is; set up a new one \
             in a folder of its own",
            invitation.hub_name
        );
        let what = "this node is connected already, so the invitation is not needed";
        say.line("connected-before", what);
    }
    Ok(None)
}

fn not_joined(data: &Path, invitation: Option<Invitation>, say: Say) -> Result<Option<Invitation>> {
    let pending = DataFolder::connecting_in(data);
    let pending = pending.exists().then(|| Invitation::read(&pending));
    let Some(invitation) = invitation else {
        // One that cannot be read is said, since there is nothing to put in its place.
        if pending.transpose()?.is_none() && !DataFolder::is_one(data)? {
            let what = "give the invitation file that NCETM sent: causeway-node setup INVITATION";
            return Err(Exit::Usage.with(what).into());
        }
        return Ok(None);
    };
    let pending = pending.and_then(Result::ok);
    let asked_before = pending
        .as_ref()
        .is_some_and(|it| it.code == invitation.code);
    if invitation.expires_ms <= now_ms() && !asked_before {
        return Err(EnrolError::expired(invitation.expires_ms).into());
    }
    if let Some(pending) = pending.filter(|it| it.hub != invitation.hub) {
        let what = format!(
            "the request to connect as {} is given up for one as {}",
            pending.hub_name, invitation.hub_name
        );
        say.line("given-up", &what);
    }
    Ok(Some(invitation))
}

/// Makes the folder a node's, if it is not one yet.
async fn prepare(data: &Path, say: Say) -> Result<()> {
    let shown = data.display();
    if !DataFolder::is_one(data).unwrap_or(false) {
        drop(Node::create(data).map_err(super::with_code)?);
        say.line("set-up", &format!("a new node is set up in {shown}"));
    } else if let Some(finished) = Node::finish(data).map_err(super::with_code)? {
        drop(finished);
        say.line(
            "set-up",
            &format!("setting up the node in {shown} was broken off, and is done now"),
        );
    } else {
        say.line(
            "set-up-before",
            &format!("the node in {shown} is set up already"),
        );
    }
    serve::wait_until_free(data).await
}

/// Tells how connecting goes while the node serves; ends only if it cannot be connected.
async fn guide(node: Node, invitation: Option<&Invitation>, say: Say) -> Result<()> {
    if is_for_this_computer(&node.config().web) && node.accounts().is_empty().unwrap_or(false) {
        say.line("no-browser", NO_BROWSER);
    }
    let mut hub = node.hub_name();
    if node.hub().is_none() {
        let connecting = match invitation {
            Some(invitation) => Some(node.connect(&invitation.to_toml()?)?),
            None => node.resume_connecting()?,
        };
        let Some(mut connecting) = connecting else {
            let why = node.not_connected()?.map(|last| last.why);
            let why = why.unwrap_or_else(|| "this node was never asked to be connected".to_owned());
            let what = format!("{why}; run `setup` again with an invitation file from NCETM");
            return Err(Exit::NotAllowed.with(what).into());
        };
        loop {
            let followed = follow(&connecting, say).await;
            // Another invitation may have been given on the pages.
            match node.connecting().filter(|now| !now.is(&connecting)) {
                Some(now) => connecting = now,
                None => break followed?,
            }
        }
        connecting.hub_name().clone_into(&mut hub);
    }
    let data = node.folder().display();
    let text = format!(
        "connected as {hub}. The node runs; stop it with Ctrl-C, and start it again with: \
         causeway-node --data {data} serve"
    );
    say.line("connected", &text);
    std::future::pending().await
}

const NO_BROWSER: &str = "No browser here? From a computer that has one: \
     ssh -L 8480:127.0.0.1:8480 THIS-COMPUTER, then open the link there.";

/// Whether the pages are served to this computer alone, at their usual port.
fn is_for_this_computer(web: &WebConfig) -> bool {
    *web == WebConfig::default()
}

/// Says at every try how the request to connect stands, until it is admitted.
async fn follow(connecting: &Connecting, say: Say) -> Result<()> {
    let hub = connecting.hub_name();
    let mut told = false;
    let mut changes = connecting.changes();
    loop {
        let progress = changes.borrow_and_update().clone();
        let number = progress.check_number;
        if let Some(number) = number.filter(|_| !told && !progress.state.is_outcome()) {
            told = true;
            let text = format!(
                "check number {number}\ntelephone NCETM and compare the number: it must be the same on \
                 both screens. They then admit {hub}. This may be stopped with Ctrl-C and run again."
            );
            say.line("check-number", &text);
        }
        match &progress.state {
            ConnectingState::Admitted => return Ok(()),
            ConnectingState::Asking | ConnectingState::Waiting { .. } => {
                if let Some(text) = at_a_try(&progress, connecting) {
                    say.line("not-yet", &text);
                }
            }
            outcome @ (ConnectingState::Refused(_)
            | ConnectingState::Expired(_)
            | ConnectingState::Failed(_)) => {
                return Err(Exit::of_outcome(outcome).into());
            }
        }
        changes.changed().await?;
    }
}

/// What came of a try, and when the next one is; none while one is under way.
fn at_a_try(progress: &Progress, connecting: &Connecting) -> Option<String> {
    let again = moment(progress.again_ms?);
    let now = moment(now_ms());
    let hub = connecting.hub_name();
    let number = progress.check_number;
    let number = number.map_or_else(String::new, |number| format!(", check number {number}"));
    Some(match (&progress.trouble, &progress.state) {
        (Some(trouble), _) => format!("{now}  {trouble}. It is tried again by itself at {again}"),
        (None, ConnectingState::Waiting { lapses_ms, .. }) => format!(
            "{now}  {hub} waits to be admitted by NCETM{number}, until {}. It is asked \
             again by itself at {again}",
            moment(*lapses_ms)
        ),
        (None, _) => return None,
    })
}
