//! The agent's core module through its C functions: `clawft_agent.h`.

use crate::abi::{Abi, Call, Refused};
use crate::guest::{Engine, Outside, Wasi};
use crate::http::Http;
use crate::model::KEY;
use std::path::{Path, PathBuf};

/// A config that needs neither a network nor a model file.
pub const OFFLINE: &str = "[embedder]\nname = \"hashed\"\n\n[provider]\nname = \"offline\"\n";

/// An instance of the agent over a data folder.
pub struct Agent {
    /// The instance.
    pub abi: Abi,
}

/// Where an agent over `folder` prints what it says.
pub fn output(folder: &Path) -> PathBuf {
    folder.join("out")
}

/// What it has of its host: a data folder in `folder`, a key, HTTP.
///
/// # Errors
/// A folder that cannot be made.
pub fn outside(folder: &Path) -> Result<Outside, String> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).map_err(|why| format!("{}: {why}", data.display()))?;
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let variables = vec![pair("CLAWFT_HOME", "/data"), pair("OPENAI_API_KEY", KEY)];
    let wasi = Wasi { data, variables, output: output(folder), notes: folder.join("notes") };
    Ok(Outside { imports: Box::new(Http::default()), wasi: Some(wasi) })
}

impl Agent {
    /// A new instance over `folder`, before `clawft_init`; with `limit`, its linear memory ends there.
    ///
    /// # Errors
    /// What the engine says.
    pub fn new(engine: &mut dyn Engine, folder: &Path, limit: Option<u32>) -> Result<Self, String> {
        Ok(Agent { abi: Abi::silent(engine, outside(folder)?, limit)? })
    }

    /// The same after `clawft_init` with a config.
    ///
    /// # Errors
    /// What the engine says, or the agent.
    pub fn with(engine: &mut dyn Engine, folder: &Path, config: &str) -> Result<Self, String> {
        let mut agent = Agent::new(engine, folder, None)?;
        agent.text("clawft_init", config.as_bytes())?;
        Ok(agent)
    }

    /// Calls a function with a text that lies anywhere; gives the output.
    ///
    /// # Errors
    /// A code with its sentence.
    pub fn place(&mut self, name: &str, at: u32, len: u32) -> Call<String> {
        let code = self.abi.raw(name, &[at.into(), len.into()])? as i32;
        let (at, len) =
            (self.abi.raw("clawft_output", &[])?, self.abi.raw("clawft_output_len", &[])?);
        let output = String::from_utf8_lossy(&self.abi.read(at, len)).into_owned();
        match code {
            0 => Ok(output),
            code => Err(Refused { code, sentence: format!("{name}: {output}") }),
        }
    }

    /// Calls a function with a text; gives the output.
    ///
    /// # Errors
    /// A code with its sentence.
    pub fn text(&mut self, name: &str, text: &[u8]) -> Call<String> {
        let block = self.abi.put(text)?;
        let outcome = self.place(name, block, text.len() as u32);
        self.abi.give_back()?;
        outcome
    }

    /// The answer to a message.
    ///
    /// # Errors
    /// A code with its sentence.
    pub fn say(&mut self, message: &str) -> Call<String> {
        self.text("clawft_run", message.as_bytes())
    }

    /// What a command prints.
    ///
    /// # Errors
    /// A code with its sentence.
    pub fn run(&mut self, words: &[&str]) -> Call<String> {
        self.say(&serde_json::json!(words).to_string())
    }
}
