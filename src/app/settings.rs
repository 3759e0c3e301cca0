//! Where things are: flag > environment > configuration file > default.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{AppError, Result};
use crate::archive::ArchiveConfig;

/// Longest configuration file, in bytes.
const CONFIG_BYTES_MAX: u64 = 1 << 20;
/// Zone of a workspace that named none.
const ZONE_DEFAULT: &str = "UTC";

/// The configuration file, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    data: Option<PathBuf>,
    keys_dir: Option<PathBuf>,
    unlock_key: Option<PathBuf>,
    zone: Option<String>,
    /// Files outside to which a line goes every day.
    #[serde(default)]
    anchor_files: Vec<PathBuf>,
    index_cache_mb: Option<usize>,
    index_arena_mb: Option<usize>,
}

/// What the caller typed; `None` falls through to the environment and the file.
#[derive(Debug, Default, Clone)]
pub struct Given {
    /// Data directory.
    pub data: Option<PathBuf>,
    /// Directory of the key files.
    pub keys_dir: Option<PathBuf>,
    /// File of the unlock key.
    pub unlock_key: Option<PathBuf>,
    /// Zone in which dates are shown and read.
    pub zone: Option<String>,
    /// Configuration file.
    pub config: Option<PathBuf>,
}

/// Where things are, decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Data directory.
    pub data: PathBuf,
    /// Directory of the key files, when not inside the data directory.
    pub keys_dir: Option<PathBuf>,
    /// File of the unlock key.
    pub unlock_key: PathBuf,
    /// File in which the log-in token of this person is kept.
    pub token: PathBuf,
    /// IANA zone in which dates are shown and read, unless the house has chosen one.
    pub zone: String,
    /// Whether somebody named that zone; else it is the default.
    pub zone_named: bool,
    /// Files outside the house to which the state of the log goes, a line a day.
    pub anchor_files: Vec<PathBuf>,
    /// Memory of the index.
    pub archive: ArchiveConfig,
}

impl Settings {
    /// Decides. `environment` gives the value of a variable.
    pub fn decide(given: &Given, environment: impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let home = PathBuf::from(environment("HOME").unwrap_or_else(|| "/".to_owned()));
        let xdg = |variable: &str, below: &str| {
            environment(variable)
                .map_or_else(|| home.join(below), PathBuf::from)
                .join("wordkeep")
        };
        let config_dir = xdg("XDG_CONFIG_HOME", ".config");
        let file = read_config(given, &environment, &config_dir)?;
        let path = |flag: &Option<PathBuf>, variable: &str, written: Option<PathBuf>| {
            flag.clone()
                .or_else(|| environment(variable).map(PathBuf::from))
                .or(written)
        };
        let data = path(&given.data, "WORDKEEP_DATA", file.data)
            .unwrap_or_else(|| xdg("XDG_DATA_HOME", ".local/share"));
        let mut archive = ArchiveConfig::default();
        if let Some(mb) = file.index_cache_mb {
            archive.cache_bytes = mb << 20;
        }
        if let Some(mb) = file.index_arena_mb {
            archive.arena_bytes = mb << 20;
        }
        let zone = given
            .zone
            .clone()
            .or_else(|| environment("WORDKEEP_ZONE"))
            .or(file.zone);
        Ok(Settings {
            keys_dir: path(&given.keys_dir, "WORDKEEP_KEYS_DIR", file.keys_dir),
            unlock_key: path(&given.unlock_key, "WORDKEEP_UNLOCK_KEY", file.unlock_key)
                .unwrap_or_else(|| config_dir.join("unlock.key")),
            token: config_dir.join("token"),
            data,
            zone_named: zone.is_some(),
            zone: zone.unwrap_or_else(|| ZONE_DEFAULT.to_owned()),
            anchor_files: file.anchor_files,
            archive,
        })
    }
}

impl Settings {
    /// Directory in which this computer remembers the logs it has seen, beside the settings.
    pub fn pins(&self) -> PathBuf {
        self.token.with_file_name("pins")
    }
}

fn read_config(
    given: &Given,
    environment: &impl Fn(&str) -> Option<String>,
    config_dir: &Path,
) -> Result<ConfigFile> {
    let named = given
        .config
        .clone()
        .or_else(|| environment("WORDKEEP_CONFIG").map(PathBuf::from));
    let path = named
        .clone()
        .unwrap_or_else(|| config_dir.join("wordkeep.toml"));
    let text = match super::files::read_text(&path, CONFIG_BYTES_MAX) {
        Ok(text) => text,
        // Nobody asked for this file: its absence is the usual case.
        Err(_) if named.is_none() && !path.exists() => return Ok(ConfigFile::default()),
        Err(error) => return Err(error),
    };
    toml::from_str(&text)
        .map_err(|error| AppError::Configuration(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_environment_and_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("c.toml");
        std::fs::write(&config, "data = \"/from/file\"\nzone = \"Europe/Lisbon\"\n").unwrap();
        let environment = |name: &str| (name == "WORDKEEP_DATA").then(|| "/from/env".to_owned());
        let mut given = Given {
            config: Some(config),
            ..Given::default()
        };
        let settings = Settings::decide(&given, |_| None).unwrap();
        assert_eq!(settings.data, Path::new("/from/file"));
        assert_eq!(settings.zone, "Europe/Lisbon");
        assert_eq!(
            Settings::decide(&given, environment).unwrap().data,
            Path::new("/from/env")
        );
        given.data = Some(PathBuf::from("/from/flag"));
        assert_eq!(
            Settings::decide(&given, environment).unwrap().data,
            Path::new("/from/flag")
        );
    }

    #[test]
    fn the_packaged_example_is_a_valid_configuration() {
        let example = include_str!("../../packaging/wordkeep.toml");
        let file: ConfigFile = toml::from_str(example).unwrap();
        assert!(file.data.is_some());
    }

    #[test]
    fn a_misspelt_setting_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("c.toml");
        std::fs::write(&config, "dta = \"x\"\n").unwrap();
        let given = Given {
            config: Some(config),
            ..Given::default()
        };
        let error = Settings::decide(&given, |_| None).unwrap_err().to_string();
        assert!(error.contains("dta"), "{error}");
    }
}
