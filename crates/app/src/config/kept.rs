//! Where the secrets are kept, for whoever asks if others can read them. Reads none of them.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::{ConfigError, Origin};
use super::secret::SecretFrom;
use super::{Config, Url, read_file};

/// The places of all secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// By the path of the key that names them.
    pub files: Vec<(String, PathBuf)>,
    /// Whether the file of the configuration holds a secret, or an address with a password.
    pub inline: bool,
    /// Sources with more than one secret, and how many.
    pub rotating: Vec<(String, usize)>,
}

/// Of the configuration in `file`, overlaid by the environment.
pub fn kept(file: &Path) -> Result<Kept, ConfigError> {
    Ok(read_file(file, &Environment::of_process())?.kept())
}

impl Config {
    fn kept(&self) -> Kept {
        let secrets = self.secrets();
        let file = |(path, from): &(String, &SecretFrom)| match from {
            SecretFrom::File(file) => Some((path.clone(), PathBuf::from(file))),
            SecretFrom::Env(_) | SecretFrom::Value(_) => None,
        };
        let password = |url: &Url| url.masked() != url.expose();
        let written = |key: &str| !matches!(self.origins.find(key), Some(Origin::Variable(_)));
        let rotating = self.sources.iter().filter(|(_, source)| source.secrets.len() > 1);
        Kept {
            files: secrets.iter().filter_map(file).collect(),
            inline: secrets.iter().any(|(_, from)| matches!(from, SecretFrom::Value(_)))
                || (written("queue.url") && self.queue.url.iter().any(password))
                || (written("store.url") && password(&self.store.url)),
            rotating: rotating.map(|(name, source)| (name.clone(), source.secrets.len())).collect(),
        }
    }

    fn secrets(&self) -> Vec<(String, &SecretFrom)> {
        let mut secrets = Vec::new();
        for (name, source) in &self.sources {
            let keys = source.secrets.iter().enumerate();
            secrets.extend(keys.map(|(at, secret)| (format!("sources.{name}.secrets[{at}]"), &secret.from)));
            let logins = source.basic_auth.iter().enumerate();
            let path = |at| format!("sources.{name}.basic_auth[{at}].password");
            secrets.extend(logins.map(|(at, login)| (path(at), &login.password)));
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn kept_in(text: &str) -> Kept {
        let text = format!("[organisation]\nname = \"Club\"\ntime_zone = \"UTC\"\ncurrency = \"USD\"\n{text}");
        parse(&text, Path::new("rollbook.toml"), &Environment::default()).unwrap().kept()
    }

    #[test]
    fn every_place_of_a_secret_is_found() {
        let kept = kept_in(
            "[sources.stripe]\nprovider = \"stripe\"\nsecrets = [{ file = \"a\" }, { env = \"B\" }]\n\
             basic_auth = [{ user = \"u\", password = { file = \"c\" } }]\n",
        );
        let files = [("sources.stripe.secrets[0]", "a"), ("sources.stripe.basic_auth[0].password", "c")];
        assert_eq!(kept.files, files.map(|(path, file)| (path.to_owned(), PathBuf::from(file))));
        assert_eq!((kept.inline, kept.rotating), (false, vec![("stripe".to_owned(), 2)]));
    }

    #[test]
    fn a_password_in_an_address_is_a_secret_in_the_configuration() {
        assert!(kept_in("[store]\nurl = \"postgres://ada:s3cret@db/club\"\n").inline);
        assert!(!kept_in("[store]\nurl = \"postgres://ada@db/club\"\n").inline);
        assert!(kept_in("[sources.s]\nprovider = \"stripe\"\nsecrets = [{ value = \"x\" }]\n").inline);
    }
}
