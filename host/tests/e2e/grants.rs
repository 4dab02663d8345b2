//! Hosts, folders, files, variables.

use crate::place::{ANSWER, Place, Server, file};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

#[test]
fn a_host_that_is_not_listed_is_refused_with_a_sentence_and_never_asked() {
    let (place, server) = (Place::new(), Server::new(ANSWER));
    let ran = place.run(&["get", &server.url()]);
    ran.ended(1, &format!("the host {} is not on the list", server.address));
    assert!(ran.err.contains("HttpRequestDenied"), "{ran:?}");
    assert!(!server.is_asked(Duration::from_millis(200)));
}

#[test]
fn loopback_is_let_through_when_the_config_names_it() {
    let (place, server) = (Place::new(), Server::new(ANSWER));
    let (address, url) = (&server.address, server.url());
    for config in [
        format!("[tools]\nhosts = [\"{address}\"]"),
        format!("[provider]\nname = \"openai\"\nbase_url = \"http://{address}/v1\""),
    ] {
        place.config(&config);
        let ran = place.run(&["get", &url]);
        assert_eq!((ran.exit, &*ran.out), (Some(0), "hello from outside"), "{config}: {ran:?}");
    }
    // Another port of the same host is another host.
    let other = Server::new(ANSWER);
    place.run(&["get", &other.url()]).ended(1, "is not on the list");
}

#[test]
fn there_are_no_sockets_but_those_of_http() {
    let (place, server) = (Place::new(), Server::new(ANSWER));
    place.config(&format!("[tools]\nhosts = [\"{}\"]", server.address));
    assert_eq!(place.run(&["connect", &server.address]).exit, Some(1));
    assert!(!server.is_asked(Duration::from_millis(200)));
}

#[test]
fn only_the_data_folder_is_seen() {
    let place = Place::new();
    let outside = file(&place.folder.join("outside"), "not yours");
    let home = place.home();
    let inside = |name: &str| home.join(name).to_str().unwrap().to_owned();

    assert_eq!(place.run(&["write", &inside("note"), "mine"]).exit, Some(0));
    assert_eq!(std::fs::read_to_string(home.join("note")).unwrap(), "mine");
    let mode = std::fs::metadata(&home).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    symlink(&place.folder, home.join("link")).unwrap();
    for path in [&outside, "/etc/passwd", &inside("../outside"), &inside("link/outside")] {
        let ran = place.run(&["read", path]);
        assert_eq!((ran.exit, &*ran.out), (Some(1), ""), "{path}");
        assert_eq!(place.run(&["write", path, "x"]).exit, Some(1), "{path}");
    }
    for folder in ["/", "/etc", place.folder.to_str().unwrap()] {
        assert_eq!(place.run(&["list", folder]).exit, Some(1), "{folder}");
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "not yours");
}

/// The component keeps its tools out of the data folder by the folder's name.
#[test]
fn a_folder_that_leads_to_the_data_folder_by_another_name_is_refused() {
    let (place, links) = (Place::new(), Place::new());
    let link = links.folder.join("link");
    symlink(&place.folder, &link).unwrap();
    let notes = file(&place.folder.join("notes/a"), "to read");
    for (folder, exit) in [(&*link, 3), (std::path::Path::new("."), 3), (&*place.folder, 0)] {
        place.config(&format!("[tools]\nfolders = [{folder:?}]"));
        let ran = place.run(&["read", &notes]);
        assert_eq!(ran.exit, Some(exit), "{ran:?}");
        assert_eq!(ran.err.contains("must be written as"), exit == 3, "{ran:?}");
    }
    // A link to a folder of its own hides nothing.
    let other = links.folder.join("other");
    symlink(place.folder.join("notes"), &other).unwrap();
    place.config(&format!("[tools]\nfolders = [{other:?}]"));
    assert_eq!(place.run(&["read", &format!("{}/a", other.display())]).out, "to read");
}

/// A drive that is unplugged keeps nobody from the memory. A server says it when it starts.
#[test]
fn a_folder_that_is_not_there_is_left_out() {
    let place = Place::new();
    let notes = file(&place.folder.join("notes/a"), "to read");
    let there = place.folder.join("notes");
    place.config(&format!("[tools]\nfolders = [\"/nowhere/at all\", {there:?}]"));
    let ran = place.run(&["read", &notes]);
    assert_eq!((ran.exit, &*ran.out), (Some(0), "to read"), "{ran:?}");
    ran.ended(0, "folders under [tools] in config.toml: /nowhere/at all is not there");
}

#[test]
fn an_imported_file_is_seen_alone_and_cannot_be_changed() {
    let place = Place::new();
    let path = file(&place.folder.join("texts/notes.txt"), "to import");
    file(&place.folder.join("texts/private.txt"), "not to import");
    // A path is meant as it is meant where the host was started.
    for argument in [&*path, "texts/notes.txt", "./texts/../texts/notes.txt"] {
        let ran = place.run(&["import", argument]);
        assert_eq!((ran.exit, &*ran.out), (Some(0), "to import"), "{ran:?}");
    }
    let ran = place.run(&["import", &path, "--beside"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert_eq!(lines[0], "notes.txt");
    assert!(lines[1].starts_with("Err("), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "to import");
    // Another command does not see it.
    assert_eq!(place.run(&["read", &path]).exit, Some(1));
    place.run(&["import", "texts/none.txt"]).ended(1, "texts/none.txt: No such file");
}

#[test]
fn nothing_of_an_import_stays_behind() {
    let place = Place::new();
    let temporary = place.folder.join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    file(&place.folder.join("notes.txt"), "to import");
    let mut host = place.host(&["import", "notes.txt"]);
    assert!(host.env("TMPDIR", &temporary).status().unwrap().success());
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(place.folder.join("notes.txt")).unwrap(), "to import");
}

#[test]
fn only_the_variables_that_are_needed_pass() {
    let place = Place::new();
    place.config("[provider]\nname = \"openai\"\napi_key_env = \"MY_KEY\"");
    let mut host = place.host(&["env"]);
    for name in [
        "SECRET",
        "AWS_SECRET_ACCESS_KEY",
        "PATH",
        "MY_KEY",
        "OPENAI_API_KEY",
        "TERM",
        "CLAWFT_WRITER",
    ] {
        host.env(name, "value");
    }
    let output = host.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> =
        text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    // The nonce is the host's own word, whatever the variable held outside.
    assert_eq!(names, ["CLAWFT_HOME", "CLAWFT_WRITER", "MY_KEY", "OPENAI_API_KEY", "TERM"]);
    assert!(!text.contains("CLAWFT_WRITER=value"));
}

#[test]
fn the_folder_is_in_the_home_folder_when_nothing_is_said() {
    let place = Place::new();
    let mut host = place.host(&["home"]);
    let output = host.env_remove("CLAWFT_HOME").env("HOME", &place.folder).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found.trim(), place.folder.join(".clawft").to_str().unwrap());
}

#[test]
fn a_config_that_cannot_be_understood_grants_nothing() {
    let (place, server) = (Place::new(), Server::new(ANSWER));
    place.config(&format!("[tools]\nhosts = [\"{}\"]\nunknown = 1", server.address));
    place.run(&["get", &server.url()]).ended(1, "is not on the list");
}

#[test]
fn a_new_memory_gets_the_model_file() {
    let place = Place::new();
    let model = place.home().join("models/static.table");
    assert_eq!(place.run(&["recall"]).exit, Some(1));
    assert!(!model.exists());
    assert_eq!(place.run(&["remember", "one"]).exit, Some(0));
    assert_eq!(std::fs::read(&model).unwrap(), include_bytes!("../model"));
    // One of the person's own stays, and so does none beside a memory.
    std::fs::write(&model, "another").unwrap();
    assert_eq!(place.run(&["remember", "two"]).exit, Some(0));
    assert_eq!(std::fs::read(&model).unwrap(), b"another");
    std::fs::remove_file(&model).unwrap();
    std::fs::write(place.home().join("memory.rvf"), "").unwrap();
    assert_eq!(place.run(&["remember", "three"]).exit, Some(0));
    assert!(!model.exists());
}
