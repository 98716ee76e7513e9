//! Data folders: where one is looked for, whose it is, and who may look into it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use node::folder::DataFolder;

use crate::files::{BOTH, read};
use crate::program::{Serving, bare, command, done, free_address, run, settings};

/// A user of this number has no name and no folder here.
const SOMEBODY: u32 = 12_345;

#[test]
fn a_folder_here_is_found_and_a_new_one_goes_where_a_persons_data_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, home) = (folder.path().join("here"), folder.path().join("home"));
    std::fs::create_dir(&here).expect("a folder");
    for program in BOTH {
        let part = program.package();
        let ask = |words: &[&str]| {
            let mut command = bare(part, words);
            command.current_dir(&here).env("HOME", &home);
            command.env_remove("XDG_DATA_HOME");
            command
        };
        let words: &[&str] = match part {
            "node" => &["init"],
            _ => &["init", "--new-keys", "../keys"],
        };
        if Path::new(&program.data()).exists() {
            println!(
                "skipped in part: this computer has the service {}",
                program.name()
            );
        } else {
            let mut elsewhere = ask(words);
            elsewhere.env("XDG_DATA_HOME", folder.path().join("xdg"));
            done(elsewhere);
            let made = folder.path().join("xdg/causeway").join(part);
            assert!(made.join("identity.key").is_file(), "{made:?}");
            drop(std::fs::remove_dir_all(folder.path().join("keys")));
            let said = done(ask(words));
            let made = home.join(".local/share/causeway").join(part);
            assert!(said.contains(made.to_str().expect("a path")), "{said}");
            drop(std::fs::remove_dir_all(folder.path().join("keys")));
        }
        let named = match part {
            "node" => "causeway-data",
            _ => "coordinator-data",
        };
        std::fs::create_dir(here.join(named)).expect("a folder");
        done(ask(words));
        assert!(here.join(named).join("identity.key").is_file());
        done(ask(&["status"]));
        // A folder that is named comes before all others.
        let mut elsewhere = ask(&["status"]);
        elsewhere.env("CAUSEWAY_DATA", folder.path().join("nothing"));
        let (code, said) = run(elsewhere);
        assert!(
            code == Some(1) && said.contains("nothing holds no node"),
            "{said}"
        );
        drop(std::fs::remove_dir_all(folder.path().join("keys")));
    }
}

#[test]
fn every_place_where_a_folder_is_looked_for_is_in_the_help_and_in_the_manual() {
    let manual = read("docs/operations.md");
    let manual = manual.split_whitespace().collect::<Vec<_>>().join(" ");
    for program in BOTH {
        let help = done(bare(program.package(), &["--help"]));
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let own = format!("causeway/{}", program.package());
        for place in [
            "CAUSEWAY_DATA",
            &program.data(),
            &format!("~/.local/share/{own}"),
            &format!("~/Library/Application Support/C{}", &own[1..]),
            &format!("%ProgramData%\\Causeway\\{}", program.package()),
        ] {
            assert!(help.contains(place), "{place}: {help}");
            assert!(manual.contains(place), "docs/operations.md lacks {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_programs_make_is_their_owners_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().expect("a folder");
    for program in ["node", "coordinator"] {
        let data = folder.path().join(program);
        // As somebody may have made it.
        settings(&data, &format!("[web]\nlisten = \"{}\"\n", free_address()));
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        if program == "node" {
            done(command(program, &data, &["init"]));
        } else {
            let text = format!(
                "[listen]\naddress = \"{0}\"\npublic = \"{0}\"\n[web]\nlisten = \"{1}\"\n",
                free_address(),
                free_address()
            );
            settings(&data, &text);
            let keys = folder.path().join("keys");
            let keys = keys.to_str().expect("a path");
            done(command(program, &data, &["init", "--new-keys", keys]));
        }
        let serving = Serving::ready(program, &data).await;
        let about = std::fs::metadata(&data).expect("the folder");
        assert_eq!(about.mode() & 0o777, 0o700);
        let socket = std::fs::metadata(DataFolder::socket(&data)).expect("the socket");
        assert_eq!(socket.mode() & 0o777, 0o600);
        for entry in walkdir::WalkDir::new(&data).min_depth(1) {
            let entry = entry.expect("it can be read");
            if entry.path() == DataFolder::config(&data) {
                continue;
            }
            let mode = entry.metadata().expect("its mode").mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
        }
        serving.terminate();
        assert_eq!(serving.ended().await.0, Some(0));
    }
}

#[test]
fn a_folder_of_somebody_else_is_not_touched_and_its_owner_is_named() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a folder to somebody else");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("a mode");
    for program in ["node", "coordinator"] {
        let data = folder.path().join(program);
        std::fs::create_dir(&data).expect("a folder");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).expect("a mode");
        chown(&data, Some(SOMEBODY), None).expect("given away");
        let keys = folder.path().join("keys").display().to_string();
        let init: &[&str] = match program {
            "node" => &["init"],
            _ => &["init", "--new-keys", &keys],
        };
        for words in [init, &["status"], &["serve"]] {
            let (code, said) = run(command(program, &data, words));
            assert_eq!(code, Some(77), "{words:?}: {said}");
            assert!(said.contains(&format!("sudo -u #{SOMEBODY}")), "{said}");
        }
        assert_eq!(std::fs::read_dir(&data).expect("it").count(), 0);
        // Nor by somebody who is not root.
        chown(&data, Some(0), None).expect("taken back");
        done(command(program, &data, init));
        for words in [init, &["status"], &["serve"]] {
            let mut command = command(program, &data, words);
            let (code, said) = run_as(SOMEBODY, &mut command);
            assert_eq!(code, Some(77), "{words:?}: {said}");
            assert!(said.contains("belongs to the user root"), "{said}");
        }
        let mut doctor = command(program, &data, &["doctor"]);
        let (code, said) = run_as(SOMEBODY, &mut doctor);
        assert_eq!(code, Some(2), "{said}");
        drop(std::fs::remove_dir_all(folder.path().join("keys")));
    }
}

fn run_as(user: u32, command: &mut std::process::Command) -> (Option<i32>, String) {
    // The program lies where others may not look, as a rule.
    let folder = tempfile::tempdir().expect("a folder");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("a mode");
    let program = folder.path().join("program");
    std::fs::copy(command.get_program(), &program).expect("copied");
    let mut other = std::process::Command::new(program);
    other.args(command.get_args()).uid(user).gid(user);
    other
        .current_dir("/")
        .env_remove("CAUSEWAY_DATA")
        .env("HOME", "/nonexistent");
    run(other)
}

#[test]
fn a_folder_whose_path_is_too_long_for_a_socket_is_said_to_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("a-long-name".repeat(12));
    done(command("node", &data, &["init"]));
    let (code, said) = run(command("node", &data, &["serve"]));
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("shorter path"), "{said}");
    // All that needs no running program works.
    done(command("node", &data, &["status"]));
}

#[test]
fn a_folder_in_which_nothing_can_be_written_is_said_to_be() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("a mode");
    let data = folder.path().join("hub");
    let mut init = command("node", &data, &["init"]);
    let (code, said) = run_as(SOMEBODY, &mut init);
    assert_eq!(code, Some(73), "{said}");
    assert!(said.contains("cannot be used"), "{said}");
}

#[test]
fn an_invitation_can_come_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    let file = folder.path().join("cut.toml");
    std::fs::write(&file, "version = 1\n").expect("a file");
    let mut setup = command("node", &data, &["setup", "-"]);
    setup.stdin(std::fs::File::open(&file).expect("it"));
    let (code, said) = run(setup);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the invitation cannot be read"), "{said}");
    assert!(!data.exists(), "nothing was changed");
}
