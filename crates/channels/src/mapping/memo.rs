//! Mappings that were read lately: the text beside each body is nearly always one that was seen before.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::registry::MappingText;

use super::{Mapping, MappingError};

/// As many are remembered; then it begins anew.
const REMEMBERED: usize = 256;

/// Remembers what texts were read as. It changes no answer, only how fast it comes.
#[derive(Debug, Default)]
pub struct Mappings(RwLock<HashMap<MappingText, Arc<Mapping>>>);

impl Mappings {
    /// Reads the text of a mapping.
    ///
    /// # Errors
    /// As [`Mapping::parse`]: a newer release wrote it, or somebody else.
    pub fn read(&self, text: &MappingText) -> Result<Arc<Mapping>, MappingError> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(Mapping::parse(text.as_str())?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(text.clone(), Arc::clone(&read));
        Ok(read)
    }
}
