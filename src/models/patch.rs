//! What an update says of a field that can be cleared.

/// What an update says of a field that can be cleared: nothing, nothing more, or something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Left out: it stays.
    #[default]
    Keep,
    /// `null`: it is cleared.
    Clear,
    /// It is set.
    Set(T),
}

impl<T> Patch<T> {
    /// What the field holds afterwards, where it changes.
    pub fn changed(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}
