//! The SQL types that both databases share, with their names on each, and the Rust types for them.
//!
//! | here      | PostgreSQL    | SQLite                     | Rust                       |
//! |-----------|---------------|----------------------------|----------------------------|
//! | `Id`      | `uuid`        | `blob` of 16 bytes         | [`Id`](crate::id::Id)      |
//! | `Instant` | `timestamptz` | `integer`, µs since 1970   | [`Instant`]                |
//! | `Json`    | `text`        | `text`                     | [`Json`], [`JsonList`]     |
//!
//! Enums are stored as text by [`text_enum!`].

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;
use uuid::Uuid;

use crate::id::{Id, Kind};

/// The SQL types, for `table!` and `#[diesel(sql_type = …)]`.
pub mod sql {
    use diesel::query_builder::QueryId;
    use diesel::sql_types::SqlType;

    /// A UUID.
    #[derive(SqlType, QueryId, Clone, Copy, Debug)]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951))]
    #[diesel(sqlite_type(name = "Binary"))]
    pub struct Id;

    /// A point in time, to the microsecond. Not named `Timestamp`, because `table!` adds arithmetic to
    /// columns of that name.
    #[derive(SqlType, QueryId, Clone, Copy, Debug)]
    #[diesel(postgres_type(oid = 1184, array_oid = 1185))]
    #[diesel(sqlite_type(name = "Long"))]
    pub struct Instant;

    /// A JSON document, kept as text so that both databases return what was stored.
    #[derive(SqlType, QueryId, Clone, Copy, Debug)]
    #[diesel(postgres_type(oid = 25, array_oid = 1009))]
    #[diesel(sqlite_type(name = "Text"))]
    pub struct Json;
}

impl ToSql<sql::Id, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<sql::Id, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl<K: Kind> ToSql<sql::Id, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<K: Kind> ToSql<sql::Id, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl<K> FromSql<sql::Id, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K> FromSql<sql::Id, Sqlite> for Id<K> {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(Uuid::from_slice(&bytes)?))
    }
}

/// A point in time in UTC, truncated to microseconds, which is what both databases keep. Neither knows
/// leap seconds: 12:30:60 in `chrono` is stored as 12:31:00.
#[derive(AsExpression, FromSqlRow, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[diesel(sql_type = sql::Instant)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// Earlier than any instant that the system creates.
    pub const MIN: Self = Self(DateTime::UNIX_EPOCH);
    /// Later than any instant that the system creates: the end of the year 9999, the last that RFC 3339
    /// can express.
    pub const MAX: Self = match DateTime::from_timestamp(253_402_300_799, 0) {
        Some(end) => Self(end),
        None => panic!("the year 9999 is in chrono's range"),
    };

    /// Returns the instant as a `chrono` value.
    pub fn to_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Returns the microseconds since the Unix epoch.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Returns the instant this many microseconds after the Unix epoch, if `chrono` can express it.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// Returns the instant `days` days later, at most [`Instant::MAX`].
    pub fn plus_days(self, days: u32) -> Self {
        self.plus(TimeDelta::days(days.into()))
    }

    /// Returns the instant `delta` later, at most [`Instant::MAX`].
    pub fn plus(self, delta: TimeDelta) -> Self {
        let later = self.0.checked_add_signed(delta).map(Self);
        later.unwrap_or(Self::MAX).min(Self::MAX)
    }

    /// Returns the start of the instant's minute.
    pub fn to_minute(self) -> Self {
        let into = self.micros().rem_euclid(60_000_000);
        Self(self.0 - TimeDelta::microseconds(into))
    }

    /// Returns the start of the instant's day, in UTC.
    pub fn to_day(self) -> Self {
        let into = self.micros().rem_euclid(86_400_000_000);
        Self(self.0 - TimeDelta::microseconds(into))
    }

    /// Returns the time from `earlier` to this instant; zero if `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(instant: DateTime<Utc>) -> Self {
        // Anything that `chrono` can express fits into microseconds.
        Self::from_micros(instant.timestamp_micros()).unwrap_or(Self(instant))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Instant {
    /// Writes the instant as RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

/// 2000-01-01, PostgreSQL's epoch, in microseconds since the Unix epoch.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl ToSql<sql::Instant, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(self.micros() - POSTGRES_EPOCH_MICROS).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<sql::Instant, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Instant, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        let micros = micros
            .checked_add(POSTGRES_EPOCH_MICROS)
            .ok_or("instant out of range")?;
        Ok(Self::from_micros(micros).ok_or("instant out of range")?)
    }
}

impl FromSql<sql::Instant, Sqlite> for Instant {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self::from_micros(micros).ok_or("instant out of range")?)
    }
}

/// A JSON document.
#[derive(AsExpression, FromSqlRow, Clone, Debug, PartialEq, Eq)]
#[diesel(sql_type = sql::Json)]
pub struct Json(pub serde_json::Value);

impl Json {
    /// Returns `{}`.
    pub fn empty() -> Self {
        Self(serde_json::Value::Object(serde_json::Map::new()))
    }
}

impl ToSql<sql::Json, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl ToSql<sql::Json, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Json, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_slice(value.as_bytes())?))
    }
}

impl FromSql<sql::Json, Sqlite> for Json {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// A JSON list of values that `T` serializes and deserializes.
#[derive(AsExpression, FromSqlRow, Clone, Debug, PartialEq, Eq)]
#[diesel(sql_type = sql::Json)]
pub struct JsonList<T>(pub Vec<T>);

impl<T: Serialize + fmt::Debug> ToSql<sql::Json, Pg> for JsonList<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Serialize + fmt::Debug> ToSql<sql::Json, Sqlite> for JsonList<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned> FromSql<sql::Json, Pg> for JsonList<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_slice(value.as_bytes())?))
    }
}

impl<T: DeserializeOwned> FromSql<sql::Json, Sqlite> for JsonList<T> {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// Declares an enum that is stored as text, under the names that GraphQL uses for its values.
///
/// The enum gets `as_str`, `ALL`, and the Diesel traits to store and load it.
#[macro_export]
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
            Clone, Copy, Debug, PartialEq, Eq, Hash,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $( $(#[$vmeta])* $variant ),+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name that the database and the API use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn from_name(name: &str) -> diesel::deserialize::Result<Self> {
                match name {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!(concat!("no ", stringify!($name), " is named {:?}"), other).into()),
                }
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                out.set_value(self.as_str());
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Self::from_name(std::str::from_utf8(value.as_bytes())?)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn from_sql(
                value: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                let name = <String as diesel::deserialize::FromSql<
                    diesel::sql_types::Text,
                    diesel::sqlite::Sqlite,
                >>::from_sql(value)?;
                Self::from_name(&name)
            }
        }
    };
}
