//! Changes to fields that can be cleared.

/// What an update does to a field that can be cleared: keep it, clear it or set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Left out: the field stays.
    #[default]
    Keep,
    /// `null`: the field is cleared.
    Clear,
    /// The field is set to this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns what the field holds afterwards, or `None` if it does not change.
    pub fn changed(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}
