//! Before the story: a coordinator, three hubs connected by invitation and filled with a made-up
//! year, the register, the catalogue, and projects opened.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use node::enrolment::Invitation;
use node::folder::DataFolder;
use proto::coordinator::v1::InviteRequest;
use proto::coordinator::v1::coordinator_client::CoordinatorClient;
use serde_json::{Value, json};
use tests::relay::Relay;

use super::begun;
use crate::expected::Expected;
use crate::ledger::Ledger;
use crate::member::Member;
use crate::outcome::Outcome;
use crate::part::Part;
use crate::register::{self, CataloguedProject, RegisteredHub};
use crate::stage::{
    COORDINATOR, HUBS, LONDON_THAMES, Project, SOUTH_YORKSHIRE, Stage, WEST_YORKSHIRE, keys,
    next_year, write_settings,
};
use crate::story::Story;
use crate::wait::since;

/// The hubs that take part, by their codes in the register.
const CODES: [&str; 3] = ["south-yorkshire", "west-yorkshire", "london-thames"];

/// The projects that are opened, and the hubs that take part.
const OPENED: [(&str, &[usize]); 3] = [
    ("NCP24-11", &HUBS),
    ("NCP24-14a", &[SOUTH_YORKSHIRE, WEST_YORKSHIRE]),
    ("NCP21-07", &[SOUTH_YORKSHIRE, LONDON_THAMES]),
];

/// The draft that the hubs of a project begin with.
const PROTOCOL: &str = "Each school tries the sequence with one class for two weeks. Teachers \
    watch one lesson together and talk about it the same day. Leaders write down what pupils said.";

/// What a hub's data agreement lets out of its work groups: never a person.
const AGREED: [&str; 13] = [
    "code",
    "title",
    "kind",
    "phase",
    "project",
    "year",
    "state",
    "sessions_held",
    "accepted",
    "started",
    "withdrawn",
    "completed",
    "schools",
];

/// Sets all up in `root`.
///
/// # Errors
/// What could not be set up.
pub(crate) async fn run(root: &Path, story: &mut Story, outcome: &mut Outcome) -> Result<Stage> {
    let begun = Instant::now();
    println!(
        "Setting up NCETM's coordinator and three hubs in {}",
        root.display()
    );
    std::fs::create_dir_all(root.join("logs"))?;
    let register = register::hubs()?;
    let mut stage = start_coordinator(root).await?;
    for code in CODES {
        let hub = register.iter().find(|hub| hub.code == code);
        connect(
            &mut stage,
            hub.with_context(|| format!("{code} is not in the register"))?,
        )
        .await?;
    }
    let invited = invite_others(&stage, &register).await?;
    story.tell(format!(
        "{} hubs of the register are invited; three of them connected with their invitation files, \
         each as a program of its own, with its own folder, over an encrypted connection on which \
         both ends prove who they are.",
        invited + CODES.len()
    ));
    let years = begun::fill(&mut stage, story, outcome).await?;
    let catalogue = register::projects()?;
    fill_catalogue(&mut stage, &catalogue).await?;
    for (code, hubs) in OPENED {
        open_project(&mut stage, &catalogue, code, hubs).await?;
    }
    stage.in_sync().await?;
    for (hub, year) in HUBS.into_iter().zip(&years) {
        begun::begin(&mut stage, hub, year).await?;
    }
    story.tell(format!(
        "The catalogue has {} projects; {} are open to the hubs that take part: {}. It took {}.",
        catalogue.len(),
        OPENED.len(),
        OPENED.map(|(code, _)| code).join(", "),
        since(begun)
    ));
    Ok(stage)
}

async fn start_coordinator(root: &Path) -> Result<Stage> {
    let port = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?
        .local_addr()?
        .port();
    let mut coordinator = Member::new(Part::Coordinator, "coordinator", "NCETM", root)?;
    write_settings(&coordinator, Some(port))?;
    let keys = keys(root);
    coordinator
        .command(&["init", "--new-keys", &keys.to_string_lossy()])
        .await?;
    coordinator.start().await?;
    let spaces = coordinator.spaces().await?;
    let network = spaces.iter().find(|space| space.kind == "network");
    let network = network
        .context("there is no catalogue that every hub may read")?
        .id
        .clone();
    Ok(Stage {
        root: root.to_owned(),
        members: vec![coordinator],
        cables: Vec::new(),
        port,
        network,
        projects: Vec::new(),
        groups: Vec::new(),
        ledger: Ledger::default(),
        expected: Expected::default(),
        people: BTreeSet::new(),
    })
}

/// Invites a hub, sets up its node, connects it and starts it, all with the commands that people
/// use. Its invitation names a cable of its own, so that its network can be cut.
async fn connect(stage: &mut Stage, hub: &RegisteredHub) -> Result<()> {
    let folder = stage.root.join("invitations");
    std::fs::create_dir_all(&folder)?;
    let sent = folder.join(format!("{}.sent.toml", hub.code));
    let words = [
        "invite",
        "--admit-at-once",
        &hub.code,
        "--name",
        &hub.name,
        "--out",
        &sent.to_string_lossy(),
    ];
    stage.members[COORDINATOR].command(&words).await?;

    let cable = Relay::start(SocketAddr::from(([127, 0, 0, 1], stage.port))).await?;
    let mut invitation = Invitation::read(&sent)?;
    invitation.address = cable.address().to_string().parse()?;
    let file = folder.join(format!("{}.toml", hub.code));
    invitation.write(&file)?;

    let mut member = Member::new(Part::Node, &hub.code, &hub.name, &stage.root)?;
    write_settings(&member, None)?;
    member.command(&["init"]).await?;
    member
        .command(&["connect", &file.to_string_lossy()])
        .await?;
    member.start().await?;
    stage.cables.push(cable);
    stage.members.push(member);
    let place = stage.members.len() - 1;
    stage.hub_is(place, "connected").await?;
    Ok(())
}

/// Invites the other hubs of the register; nobody answers for them today.
async fn invite_others(stage: &Stage, register: &[RegisteredHub]) -> Result<usize> {
    let socket = DataFolder::socket(stage.members[COORDINATOR].folder());
    let mut client = CoordinatorClient::new(node::local::connect(&socket).await?);
    let mut invited = 0;
    for hub in register
        .iter()
        .filter(|hub| !CODES.contains(&hub.code.as_str()))
    {
        let (code, name) = (hub.code.clone(), hub.name.clone());
        client
            .invite(InviteRequest {
                code,
                name,
                hours: 0,
                admit_at_once: false,
            })
            .await?;
        invited += 1;
    }
    Ok(invited)
}

async fn fill_catalogue(stage: &mut Stage, catalogue: &[CataloguedProject]) -> Result<()> {
    let network = stage.network.clone();
    for project in catalogue {
        let mut fields = json!({
            "title": project.title,
            "kind": "national",
            "summary": project.summary,
            "phases": project.phases(),
            "source": "Public pages of NCETM and the Maths Hubs, in our own words",
        });
        if !project.code.is_empty() {
            fields["code"] = json!(project.code);
            fields["codes"] = json!([{ "year": project.academic_year(), "code": project.code }]);
        }
        stage
            .create(COORDINATOR, "project", &network, fields)
            .await?;
    }
    Ok(())
}

/// Opens a project: what it is shared as, its record, and the hubs' access.
async fn open_project(
    stage: &mut Stage,
    catalogue: &[CataloguedProject],
    code: &str,
    hubs: &[usize],
) -> Result<()> {
    let project = catalogue.iter().find(|project| project.code == code);
    let project = project.with_context(|| format!("{code} is not in the catalogue"))?;
    let words = ["space", "create", "project", &project.title, "--code", code];
    let made = stage.members[COORDINATOR].command(&words).await?;
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let (space, record) = (text("space"), text("record"));
    for hub in hubs {
        let code = stage.members[*hub].code.clone();
        stage.members[COORDINATOR]
            .command(&["space", "grant", &space, &code])
            .await?;
    }
    stage
        .set(
            COORDINATOR,
            &record,
            &[
                (
                    "question",
                    json!("What keeps a school improving once a programme is over?"),
                ),
                ("phase", json!("all")),
                ("agreement_until", json!(next_year("08-31"))),
            ],
        )
        .await?;
    let mut changes = vec![json!({ "do": "set", "field": "protocol", "value": PROTOCOL })];
    changes.push(json!({ "do": "add", "field": "measures", "values": {
        "name": "Pupils who explain their method", "version": 1, "question": "Count in one lesson.",
    } }));
    for field in AGREED {
        changes.push(json!({ "do": "include", "field": "agreed_fields", "element": field }));
    }
    for hub in hubs {
        let hub = &stage.members[*hub].code;
        changes.push(
            json!({ "do": "add", "field": "participation", "id": hub, "values": {
            "hub": hub, "status": "joined", "quota": 2,
        } }),
        );
    }
    stage
        .change(COORDINATOR, &record, Value::Array(changes))
        .await?;
    let (code, hubs) = (code.to_owned(), hubs.to_vec());
    stage.projects.push(Project {
        code,
        space,
        record,
        hubs,
    });
    Ok(())
}
