//! The container and compose files: every program, command, path, port, variable and setting in them is one
//! that there is. No engine runs here.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use coordinator::config::CoordinatorConfig;
use node::cli::OWN_TIME;
use node::config::Config;
use node::folder::DataFolder;
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::files::{BOTH, Program, read, root};

const COMPOSE: &str = "deploy/container/compose.yaml";
const CONTAINERFILE: &str = "deploy/container/Containerfile";

/// A value of YAML under a name.
fn get<'a, 'b>(of: &'a Yaml<'b>, name: &str) -> &'a Yaml<'b> {
    let found = of.as_mapping_get(name);
    found.unwrap_or_else(|| panic!("{COMPOSE} does not say {name} in {of:?}"))
}

fn text<'a>(of: &'a Yaml<'_>) -> &'a str {
    of.as_str().unwrap_or_else(|| panic!("{of:?} is no text"))
}

fn texts<'a>(of: &'a Yaml<'_>, name: &str) -> Vec<&'a str> {
    let list = get(of, name).as_sequence();
    let list = list.unwrap_or_else(|| panic!("{name} is no list"));
    list.iter().map(text).collect()
}

/// The settings that a container is given: where it listens, and how long it may take to stop.
fn settings(program: Program, file: &str) -> (Vec<u16>, Duration) {
    let path = root().join("deploy/container").join(file);
    let port = |address: &str| {
        let port = address.rsplit(':').next().and_then(|it| it.parse().ok());
        port.unwrap_or_else(|| panic!("{address} has no port"))
    };
    match program {
        Program::Node => {
            let config = Config::read(&path).expect("settings that can be used");
            (vec![port(&config.web.listen)], config.shutdown.grace())
        }
        Program::Coordinator => {
            let config = CoordinatorConfig::read(&path).expect("settings that can be used");
            let ports = vec![config.listen.address.port(), port(&config.web.listen)];
            (ports, config.shutdown.grace())
        }
    }
}

#[test]
fn compose_names_only_what_there_is_and_lets_a_container_do_no_more_than_it_needs() {
    let file = read(COMPOSE);
    let documents = Yaml::load_from_str(&file).expect("it is YAML");
    let [compose] = &documents[..] else {
        panic!("{COMPOSE} is one document");
    };
    let volumes = get(compose, "volumes");
    let stages = stages();
    for program in BOTH {
        let service = get(get(compose, "services"), program.package());
        assert_eq!(texts(service, "profiles"), [program.package()]);
        let build = get(service, "build");
        let folder = root().join("deploy/container");
        let context = folder.join(text(get(build, "context")));
        let context = context.canonicalize().expect("a folder");
        assert_eq!(context, root().canonicalize().expect("the workspace"));
        assert!(context.join(text(get(build, "dockerfile"))).is_file());
        assert!(stages.contains_key(text(get(build, "target"))));

        program.check_words(&texts(service, "command"));
        let check = texts(get(service, "healthcheck"), "test");
        assert_eq!(check[..2], ["CMD", program.name()]);
        program.check_words(&check[2..]);
        if let Some(environment) = service.as_mapping_get("environment") {
            for (name, _) in environment.as_mapping().expect("names and values") {
                let name = text(name).to_owned();
                assert!(program.variables().contains(&name), "{name}");
            }
        }

        let mut mounted = BTreeMap::new();
        for volume in texts(service, "volumes") {
            let mut parts = volume.split(':');
            let [Some(from), Some(to)] = [parts.next(), parts.next()] else {
                panic!("{volume}");
            };
            mounted.insert(to.to_owned(), from.to_owned());
        }
        let data = &mounted[&program.data()];
        assert!(volumes.as_mapping_get(data).is_some(), "volume {data}");
        let config = DataFolder::config(Path::new(&program.data()));
        let config = &mounted[config.to_str().expect("a path")];
        let (listens, grace) = settings(program, config);
        let published = texts(service, "ports").into_iter().map(|port| {
            let inside = port
                .rsplit(':')
                .next()
                .and_then(|it| it.parse::<u16>().ok());
            inside.unwrap_or_else(|| panic!("{port}"))
        });
        assert_eq!(published.collect::<Vec<_>>(), listens);

        let waits = text(get(service, "stop_grace_period")).trim_end_matches('s');
        let waits = Duration::from_secs(waits.parse().expect("seconds"));
        assert!(waits > grace + OWN_TIME, "{waits:?}");
        assert_eq!(get(service, "read_only").as_bool(), Some(true));
        assert_eq!(texts(service, "cap_drop"), ["ALL"]);
        assert_eq!(texts(service, "security_opt"), ["no-new-privileges:true"]);
    }
}

/// What a stage of the container file says, one instruction with its words each.
type Stage = Vec<(String, String)>;

/// The stages of the container file, each with those that it is built on.
fn stages() -> BTreeMap<String, Stage> {
    let mut stages = BTreeMap::<String, Stage>::new();
    let mut name = String::new();
    for line in read(CONTAINERFILE).lines() {
        let line = line.trim();
        let Some((instruction, words)) = line.split_once(' ') else {
            continue;
        };
        if instruction == "#" {
            continue;
        }
        if instruction == "FROM" {
            let (from, own) = words.split_once(" AS ").expect("every stage has a name");
            own.clone_into(&mut name);
            let before = stages.get(from).cloned().unwrap_or_else(|| {
                assert!(from.starts_with("docker.io/library/"), "{from}");
                Stage::new()
            });
            stages.insert(name.clone(), before);
            continue;
        }
        let stage = stages.get_mut(&name).expect("a stage");
        stage.push((instruction.to_owned(), words.to_owned()));
    }
    stages
}

#[test]
fn the_container_file_builds_what_there_is_for_a_user_who_is_not_root() {
    let stages = stages();
    let toolchain = read("rust-toolchain.toml");
    let rust = read(CONTAINERFILE);
    let rust = rust.split("library/rust:").nth(1).expect("a toolchain");
    let rust = rust.split('-').next().expect("its version");
    assert!(
        toolchain.contains(&format!("\"{rust}")),
        "{rust}: {toolchain}"
    );
    for program in BOTH {
        let stage = &stages[program.package()];
        let said = |instruction: &str| {
            let mut found = stage.iter().filter(|(it, _)| it == instruction);
            let (_, words) = found.next_back().unwrap_or_else(|| panic!("{instruction}"));
            words.as_str()
        };
        let user = said("USER").split(':').next().expect("a user");
        assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{user}");
        let name = program.name();
        assert_eq!(said("ENTRYPOINT"), format!("[\"{name}\"]"));
        let list = |words: &str| {
            serde_json::from_str::<Vec<String>>(words).unwrap_or_else(|error| panic!("{error}"))
        };
        let words = list(said("CMD"));
        program.check_words(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (_, check) = said("HEALTHCHECK").split_once(" CMD ").expect("a command");
        let check = list(check);
        assert_eq!(check[0], name);
        program.check_words(&check[1..].iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(said("VOLUME"), program.data());
        for (_, set) in stage.iter().filter(|(it, _)| it == "ENV") {
            let (variable, value) = set.split_once('=').expect("a value");
            assert!(program.variables().contains(&variable.to_owned()), "{set}");
            assert!(
                variable != "CAUSEWAY_DATA" || value == program.data(),
                "{set}"
            );
        }
        let (ports, _) = settings(program, &format!("{}.toml", program.package()));
        let exposed = said("EXPOSE")
            .split(' ')
            .map(|it| it.parse().expect("a port"));
        assert_eq!(exposed.collect::<Vec<u16>>(), ports);
    }
    let built = &stages["build"];
    let built = built
        .iter()
        .find(|(it, words)| it == "RUN" && words.starts_with("cargo"));
    let (_, built) = built.expect("it is built");
    for program in BOTH {
        assert!(
            built.contains(&format!("--bin {}", program.name())),
            "{built}"
        );
    }
}
