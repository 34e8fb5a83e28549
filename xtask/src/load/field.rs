//! Who takes part.

use super::backend::Backend;
use super::contender::Contender;
use super::gateway::{self, Sessions};
use super::{apache, axum, express, lua, nginx};
use crate::{Error, step};

/// All who run, and those who could not be started.
pub(super) struct Field {
    contenders: Vec<Contender>,
    absent: Vec<String>,
}

impl Field {
    /// nginx and the gateway have to be there; peers without which there is still something to learn are left out.
    ///
    /// # Errors
    /// When nginx or the gateway does not start.
    pub(super) fn start(backend: &Backend) -> Result<Self, Error> {
        let mut field = Self {
            contenders: vec![nginx::contender(backend)?],
            absent: Vec::new(),
        };
        for sessions in Sessions::ALL {
            field
                .contenders
                .push(gateway::contender(sessions, backend)?);
        }
        field.admit(axum::NAME, axum::contender(backend));
        field.admit(lua::NAME, lua::contender(backend));
        field.admit(apache::NAME, apache::contender(backend));
        field.admit(express::NAME, express::contender(backend));
        Ok(field)
    }

    fn admit(&mut self, name: &str, contender: Result<Contender, Error>) {
        match contender {
            Ok(contender) => self.contenders.push(contender),
            Err(error) => {
                let absent = format!("{name} is left out: {error}");
                step::announce(&absent);
                self.absent.push(absent);
            }
        }
    }

    pub(super) fn contenders(&self) -> &[Contender] {
        &self.contenders
    }

    /// Who was left out, and why: a line for each.
    pub(super) fn absent(&self) -> &[String] {
        &self.absent
    }
}
