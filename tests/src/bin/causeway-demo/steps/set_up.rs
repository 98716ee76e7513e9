//! Before the story: a coordinator, three hubs connected by invitation, the register, the
//! catalogue, and projects opened.

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

use crate::ledger::Ledger;
use crate::member::Member;
use crate::part::Part;
use crate::register::{self, CataloguedProject, RegisteredHub};
use crate::secrets::PLANTED;
use crate::stage::{
    COORDINATOR, Group, HUBS, LONDON_THAMES, Project, SOUTH_YORKSHIRE, Stage, WEST_YORKSHIRE, keys,
    write_settings,
};
use crate::story::Story;
use crate::wait::since;

/// The hubs that take part, by their codes in the register.
const CODES: [&str; 3] = ["south-yorkshire", "west-yorkshire", "london-thames"];

/// The projects that are opened, and the hubs that take part.
const OPENED: [(&str, &[usize]); 3] = [
    ("NCP24-11", &HUBS),
    ("NCP24-14a", &[SOUTH_YORKSHIRE, WEST_YORKSHIRE]),
    ("NCP24-20", &[SOUTH_YORKSHIRE, LONDON_THAMES]),
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
pub(crate) async fn run(root: &Path, story: &mut Story) -> Result<Stage> {
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
    let catalogue = register::projects()?;
    fill_catalogue(&mut stage, &catalogue).await?;
    for (code, hubs) in OPENED {
        open_project(&mut stage, &catalogue, code, hubs).await?;
    }
    stage.in_sync().await?;
    for hub in HUBS {
        begin_work(&mut stage, hub).await?;
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
    let mut coordinator = Member::new(Part::Coordinator, "coordinator", "NCETM", root);
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

    let mut member = Member::new(Part::Node, &hub.code, &hub.name, &stage.root);
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
                ("agreement_until", json!("2025-08-31")),
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

/// A hub signs the data agreements, enters a person and its work groups, and shares a practice.
async fn begin_work(stage: &mut Stage, hub: usize) -> Result<()> {
    let planted = &PLANTED[hub - SOUTH_YORKSHIRE];
    let code = stage.members[hub].code.clone();
    let mut groups = Vec::new();
    for (place, project) in stage.projects.clone().into_iter().enumerate() {
        if !project.hubs.contains(&hub) {
            continue;
        }
        let sign = json!([{ "do": "include", "field": "signatures", "element": code }]);
        stage.change(hub, &project.record, sign).await?;
        let person = json!({ "name": planted.person, "email": planted.email, "job_role": "LLME" });
        let person = stage.create(hub, "person", "", person).await?;
        let title = format!("{} group {}", stage.name(hub), place + 1);
        let fields = work_group(&title, &project.code, (hub, place), &person, planted.note);
        let record = stage.create(hub, "work-group", "", fields).await?;
        groups.push(Group {
            record,
            title,
            project: place,
        });
    }
    stage.groups.push(groups);
    let network = stage.network.clone();
    let practice = json!({
        "title": format!("A practice from {}", stage.name(hub)),
        "body": format!("Begin with {}, and let pupils say what they see.", planted.control),
        "phase": "primary",
    });
    stage.create(hub, "practice", &network, practice).await?;
    Ok(())
}

/// A work group with two to four made-up schools and some of its sessions held.
fn work_group(
    title: &str,
    project: &str,
    (hub, place): (usize, usize),
    person: &str,
    note: &str,
) -> Value {
    let schools = 2 + (hub + place) % 3;
    let held = 1 + (hub + 2 * place) % 3;
    let mut members = Vec::new();
    let mut statuses = Vec::new();
    for school in 1..=schools {
        let id = format!("m{school}");
        // Numbers from 990000 on are no school's.
        let urn = format!("99{hub}{place}{school:02}");
        members.push(json!({
            "id": id, "organisation": format!("Made-up School {urn}"), "urn": urn, "role": "lead participant",
        }));
        let status = if school % 2 == 0 {
            "started"
        } else {
            "accepted"
        };
        statuses.push(json!({ "member": id, "status": status, "as_at": "2024-10-01" }));
    }
    let sessions = (1..=4).map(|number| {
        let state = if number <= held { "held" } else { "planned" };
        json!({ "date": format!("2024-1{}-1{number}", number % 3), "state": state, "mode": "in person" })
    });
    json!({
        "title": title, "project": project, "kind": "sustaining", "phase": "primary",
        "year": "2024-25", "state": "planned",
        "leaders": [{ "person": person, "role": "lead" }],
        "members": members, "statuses": statuses, "sessions": sessions.collect::<Vec<_>>(),
        "notes": note,
    })
}
