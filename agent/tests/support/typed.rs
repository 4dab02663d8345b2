//! Commands as a person types them.

use clawft_agent::command;
use serde_json::Value;

use super::{Folder, World};

/// Runs a command; gives exit code, output and notes.
pub(crate) fn run(world: &mut World, folder: &Folder, line: &[&str]) -> (i32, String, String) {
    world.environment.variables.insert("CLAWFT_HOME".into(), folder.path().into());
    world.environment.arguments = line.iter().map(ToString::to_string).collect();
    world.screen.shown.take();
    world.screen.notes.take();
    let exit = command::run(&world.platform());
    (exit, world.screen.shown.take(), world.screen.notes.take())
}

pub(crate) fn json(world: &mut World, folder: &Folder, line: &[&str]) -> (i32, Value) {
    let line: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
    let (exit, shown, _) = run(world, folder, &line);
    (exit, serde_json::from_str(&shown).unwrap())
}

pub(crate) fn tell(world: &mut World, folder: &Folder, text: &str) -> u64 {
    let (exit, done) = json(world, folder, &["remember", text, "--embedder", "hashed"]);
    assert_eq!(exit, 0, "{done}");
    done["id"].as_u64().unwrap()
}
