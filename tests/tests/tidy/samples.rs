//! The sample settings in `deploy/` hold every setting at its default, and say its true bounds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use coordinator::config::{CoordinatorConfig, ListenConfig};
use node::backup::BackupConfig;
use node::config::{
    AccountsConfig, Config, ConfigError, DocumentsConfig, LimitsConfig, LogConfig, MetricsConfig,
    ShutdownConfig, SyncConfig, TelemetryConfig, WebConfig,
};
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::workspace::{none, read, read_toml, root};

const NODE: &str = "deploy/node.toml";
const COORDINATOR: &str = "deploy/coordinator.toml";

#[test]
fn the_sample_settings_are_the_defaults() {
    let node = Config::read(&root().join(NODE)).expect("the node's sample is valid");
    assert_eq!(node, Config::default());
    let coordinator = CoordinatorConfig::read(&root().join(COORDINATOR));
    let coordinator = coordinator.expect("the coordinator's sample is valid");
    assert_eq!(coordinator, CoordinatorConfig::default());
}

#[test]
fn the_sample_settings_hold_every_setting() {
    let shared = [
        ("accounts", fields::<AccountsConfig>()),
        ("backup", fields::<BackupConfig>()),
        ("limits", fields::<LimitsConfig>()),
        ("documents", fields::<DocumentsConfig>()),
        ("log", fields::<LogConfig>()),
        ("metrics", fields::<MetricsConfig>()),
        ("shutdown", fields::<ShutdownConfig>()),
        ("sync", fields::<SyncConfig>()),
        ("telemetry", fields::<TelemetryConfig>()),
        ("web", fields::<WebConfig>()),
    ];
    check_settings(NODE, fields::<Config>(), &shared);
    let coordinator = [&[("listen", fields::<ListenConfig>())], &shared[..]].concat();
    check_settings(COORDINATOR, fields::<CoordinatorConfig>(), &coordinator);
}

#[test]
fn every_sample_setting_says_its_unit_default_and_bounds() {
    let mut faults = Vec::new();
    for file in [NODE, COORDINATOR] {
        for setting in settings(file) {
            if !setting.comment.contains("Allowed:") {
                faults.push(format!("{file}: {} does not say Allowed:", setting.name));
            }
            let default = match setting.value.as_str() {
                "[]" => "none",
                value => value.trim_matches('"'),
            };
            if !setting.comment.contains(&format!("Default: {default}")) {
                faults.push(format!("{file}: {} says another default", setting.name));
            }
            let bounded = setting.bounds().is_some();
            if bounded && !setting.comment.contains("Unit:") {
                faults.push(format!("{file}: {} does not say Unit:", setting.name));
            }
            if setting.value.parse::<u64>().is_ok() && !bounded {
                faults.push(format!(
                    "{file}: {} does not say from what to what",
                    setting.name
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_bounds_in_the_samples_are_the_real_ones() {
    let node = |path: &Path| Config::read(path).map(drop);
    check_bounds(NODE, node);
    check_bounds(COORDINATOR, |path: &Path| {
        CoordinatorConfig::read(path).map(drop)
    });
}

fn check_bounds(file: &str, read: impl Fn(&Path) -> Result<(), ConfigError>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("causeway.toml");
    let allows = |setting: &Setting, value: i128| {
        // The longest pause must not be shorter than the first.
        let beside = match setting.name.as_str() {
            "reconnect_ms_min" => "reconnect_ms_max = 3600000",
            "reconnect_ms_max" => "reconnect_ms_min = 100",
            _ => "",
        };
        let text = format!(
            "[{}]\n{beside}\n{} = {value}\n",
            setting.section, setting.name
        );
        fs::write(&path, text).expect("a file is written");
        read(&path).is_ok()
    };
    let mut checked = 0;
    for setting in settings(file) {
        let Some((low, high)) = setting.bounds() else {
            continue;
        };
        let answers = [low - 1, low, high, high + 1].map(|value| allows(&setting, value));
        let expected = [false, true, true, false];
        assert_eq!(
            answers, expected,
            "{file}: {} from {low} to {high}",
            setting.name
        );
        checked += 1;
    }
    assert!(
        checked >= 6,
        "{file}: only {checked} settings with bounds were found"
    );
}

/// One setting as a sample file shows it.
struct Setting {
    section: String,
    name: String,
    value: String,
    /// The comment lines right above it, as one.
    comment: String,
}

impl Setting {
    /// The numbers in `Allowed: 100 to 60000.`
    fn bounds(&self) -> Option<(i128, i128)> {
        let (_, allowed) = self.comment.split_once("Allowed: ")?;
        let (low, rest) = allowed.split_once(" to ")?;
        let high = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
        Some((low.parse().ok()?, high.parse().ok()?))
    }
}

fn settings(file: &str) -> Vec<Setting> {
    let mut section = String::new();
    let mut comment = String::new();
    let mut found = Vec::new();
    for line in read(file).lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment += text;
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((name, value)) = line.split_once(" = ") {
            found.push(Setting {
                section: section.clone(),
                name: name.to_owned(),
                value: value.to_owned(),
                comment: comment.clone(),
            });
        }
        comment.clear();
    }
    found
}

fn check_settings(file: &str, sections: Names, all: &[(&str, Names)]) {
    let sample = read_toml(file);
    let known = all
        .iter()
        .map(|(section, _)| *section)
        .collect::<BTreeSet<_>>();
    assert_eq!(known, sections, "a section that this test does not know");
    assert_eq!(
        sample.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        sections,
        "{file}"
    );
    for (section, names) in all {
        let shown = sample[*section].as_table().expect("a section is a table");
        let shown = shown.keys().map(String::as_str).collect::<BTreeSet<_>>();
        assert_eq!(&shown, names, "{file}: [{section}]");
    }
}

type Names = BTreeSet<&'static str>;

/// The names of a struct's fields, as its derived `Deserialize` asks for them.
fn fields<T: for<'de> Deserialize<'de>>() -> Names {
    let mut names = Names::new();
    // It always fails: there is nothing to read, only a question to overhear.
    let _answer = T::deserialize(Listener(&mut names));
    names
}

/// Reads nothing, and notes which fields it was asked for.
struct Listener<'a>(&'a mut Names);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(fields);
        Err(Error::custom("the fields are noted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
