//! What the Debian packages are made of is there. `deploy/deb/try` builds them and tries them, which takes
//! too long for a test.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use toml::{Table, Value};

use crate::files::{BOTH, Program, read, root};

fn metadata(program: Program) -> Table {
    let manifest = read(&format!("{}/Cargo.toml", program.package()));
    let manifest: Table = manifest.parse().expect("a manifest");
    let metadata = manifest["package"]["metadata"]["deb"].as_table();
    metadata.expect("what the package is made of").clone()
}

/// What is installed, and where: the source below the workspace, and the whole path.
fn assets(program: Program) -> Vec<(String, String, String)> {
    let metadata = metadata(program);
    let assets = metadata["assets"].as_array().expect("assets");
    let mut found = Vec::new();
    for asset in assets {
        let words = asset.as_array().expect("three words");
        let words = words.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let [source, target, mode] = words[..] else {
            panic!("{asset}");
        };
        let source = source.strip_prefix("../").unwrap_or(source).to_owned();
        let file = source.rsplit('/').next().expect("a name");
        let target = match target.ends_with('/') {
            true => format!("/{target}{file}"),
            false => format!("/{target}"),
        };
        found.push((source, target, mode.to_owned()));
    }
    found
}

#[test]
fn packages_name_files_that_are_there_and_install_all_that_the_service_needs() {
    for program in BOTH {
        let (name, metadata, assets) = (program.name(), metadata(program), assets(program));
        assert_eq!(metadata["name"].as_str(), Some(name));
        for (source, target, mode) in &assets {
            if source.starts_with("target/") {
                assert_eq!(
                    (target.as_str(), mode.as_str()),
                    (&*format!("/usr/bin/{name}"), "755")
                );
                continue;
            }
            assert!(root().join(source).is_file(), "{source}");
            assert_eq!(mode, "644", "{target}");
        }
        let installed = |path: &str| assets.iter().any(|(_, target, _)| target == path);
        for path in [
            &format!("/usr/bin/{name}"),
            &format!("/usr/lib/systemd/system/{name}.service"),
            &format!("/usr/lib/sysusers.d/{name}.conf"),
            &format!("/etc/default/{name}"),
            &format!("/usr/share/man/man1/{name}.1"),
            &format!("/usr/share/doc/{name}/operations.md"),
            &format!("/usr/share/doc/{name}/examples/{}.toml", program.package()),
        ] {
            assert!(installed(path), "{name} does not install {path}");
        }
        // Whatever is in /etc is kept as somebody changed it.
        let kept = metadata["conf-files"].as_array().expect("a list");
        let kept = kept.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let in_etc = assets
            .iter()
            .filter(|(_, target, _)| target.starts_with("/etc/"));
        let in_etc = in_etc.map(|(_, target, _)| target.as_str());
        assert_eq!(in_etc.collect::<Vec<_>>(), kept);
        let changelog = metadata["changelog"].as_str().expect("a changelog");
        assert!(root().join(program.package()).join(changelog).is_file());
    }
}

#[test]
fn what_a_package_does_when_it_comes_and_goes_is_shell_that_ends_at_the_first_fault() {
    for program in BOTH {
        let folder = metadata(program)["maintainer-scripts"]
            .as_str()
            .map(str::to_owned);
        let folder = root()
            .join(program.package())
            .join(folder.expect("a folder"));
        for script in ["postinst", "prerm", "postrm"] {
            let path = folder.join(script);
            let about = std::fs::metadata(&path).expect("a script");
            assert_ne!(about.permissions().mode() & 0o111, 0, "{script}");
            let checked = Command::new("sh").arg("-n").arg(&path).status();
            assert!(checked.expect("sh runs").success(), "{script}");
            let text = std::fs::read_to_string(&path).expect("a script");
            assert!(
                text.starts_with("#!/bin/sh\n") && text.contains("\nset -e\n"),
                "{script}"
            );
            // One script is for both packages.
            assert!(text.contains("name=$DPKG_MAINTSCRIPT_PACKAGE"), "{script}");
            if script != "postrm" {
                assert!(!text.contains("rm -"), "{script} deletes something");
            }
        }
    }
}
