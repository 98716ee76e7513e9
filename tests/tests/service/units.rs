//! The units of systemd: they start what there is, as the program wants to be started, and let it do no more
//! than it needs.

use std::collections::BTreeMap;
use std::process::Command;

use node::cli::{Exit, OWN_TIME};
use node::config::ShutdownConfig;

use crate::files::{BOTH, Program, read};

/// A unit: of each section its settings, in the order in which they stand.
struct Unit(BTreeMap<String, Vec<(String, String)>>);

impl Unit {
    fn of(program: Program) -> Self {
        let mut sections = BTreeMap::<String, Vec<(String, String)>>::new();
        let mut section = String::new();
        for line in read(&path(program)).lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
            } else if let Some((name, value)) = line.split_once('=')
                && !line.starts_with('#')
            {
                let settings = sections.entry(section.clone()).or_default();
                settings.push((name.to_owned(), value.to_owned()));
            }
        }
        Self(sections)
    }

    fn all(&self, section: &str, name: &str) -> Vec<&str> {
        let settings = self.0[section].iter().filter(|(it, _)| it == name);
        settings.map(|(_, value)| value.as_str()).collect()
    }

    fn one(&self, section: &str, name: &str) -> &str {
        let found = self.all(section, name);
        assert_eq!(found.len(), 1, "[{section}] {name}");
        found[0]
    }
}

fn path(program: Program) -> String {
    format!("deploy/systemd/{}.service", program.name())
}

#[test]
fn a_unit_starts_the_program_as_its_own_user_on_a_folder_that_is_its_own() {
    for program in BOTH {
        let (unit, name) = (Unit::of(program), program.name());
        let service = |setting| unit.one("Service", setting);
        let started = service("ExecStart").split(' ').collect::<Vec<_>>();
        assert_eq!(started[0], format!("/usr/bin/{name}"));
        program.check_words(&started[1..]);
        assert_eq!((service("User"), service("Group")), (name, name));
        assert_eq!(service("StateDirectory"), name);
        assert_eq!(service("StateDirectoryMode"), "0700");
        assert_eq!(service("UMask"), "0077");
        let set = unit.all("Service", "Environment");
        let data = format!("CAUSEWAY_DATA=%S/{name}");
        assert!(set.contains(&data.as_str()), "{set:?}");
        for set in set {
            let name = set.split('=').next().unwrap_or_default();
            assert!(program.variables().contains(&name.to_owned()), "{name}");
        }
        let variables = read(&format!("deploy/deb/{name}.default"));
        let shown = variables.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix('#')?.split_once('=')?;
            (!name.contains(' ')).then_some(name)
        });
        for name in shown {
            assert!(program.variables().contains(&name.to_owned()), "{name}");
        }
        let user = read(&format!("deploy/systemd/{name}.sysusers"));
        assert!(user.contains(&format!("\nu {name} - ")), "{user}");
        assert!(user.contains(&program.data()), "{user}");
    }
}

#[test]
fn a_unit_waits_as_long_as_stopping_may_take_and_tries_nothing_again_that_cannot_work() {
    for program in BOTH {
        let unit = Unit::of(program);
        let service = |setting| unit.one("Service", setting);
        assert_eq!(service("Type"), "notify", "it asks for more time by itself");
        let waits: u64 = service("TimeoutStopSec").parse().expect("seconds");
        let takes = ShutdownConfig::default().grace() + OWN_TIME;
        assert!(
            waits > takes.as_secs(),
            "{waits} s, and it may take {takes:?}"
        );
        assert_eq!(service("Restart"), "on-failure");
        let never = [Exit::Usage, Exit::NotAllowed].map(|exit| (exit as u8).to_string());
        let named = service("RestartPreventExitStatus").split(' ');
        assert_eq!(named.collect::<Vec<_>>(), never);
    }
}

#[test]
fn both_units_allow_the_same() {
    let allowed = |program| {
        let text = read(&path(program));
        let (_, text) = text.split_once("# What it may do").expect("its part");
        text.replace(program.name(), "IT").replace("pages", "hubs")
    };
    assert_eq!(allowed(Program::Node), allowed(Program::Coordinator));
}

/// Runs `systemd-analyze`, if it is there.
fn analyze(words: &[&str], unit: &str) -> Option<(bool, String)> {
    let required = std::env::var("CAUSEWAY_SYSTEMD").is_ok_and(|it| it == "required");
    let output = Command::new("systemd-analyze")
        .args(words)
        .arg(unit)
        .output();
    match output {
        Ok(output) => {
            let said = [&output.stdout[..], &output.stderr[..]].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            Some((output.status.success(), said))
        }
        Err(error) if required => panic!("systemd-analyze: {error}"),
        Err(_) => {
            println!("skipped: there is no systemd-analyze here");
            None
        }
    }
}

#[test]
fn systemd_understands_every_line_and_finds_little_that_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    for program in BOTH {
        // The program is not where the package puts it.
        let here = env!("CARGO_BIN_EXE_causeway-demo");
        let installed = format!("/usr/bin/{}", program.name());
        let text = read(&path(program)).replace(&installed, here);
        let unit = folder.path().join(format!("{}.service", program.name()));
        std::fs::write(&unit, text).expect("a unit");
        let unit = unit.to_str().expect("a path");
        let Some((understood, said)) = analyze(&["verify", "--man=no"], unit) else {
            return;
        };
        assert!(understood && said.trim().is_empty(), "{said}");
        // In tenths: 10.0 is everything open. Hubs and browsers come from any address.
        let open = ["security", "--offline=true", "--threshold=15"];
        let (is_closed, said) = analyze(&open, unit).expect("it is there");
        assert!(is_closed, "{said}");
    }
}
