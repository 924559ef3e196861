//! Profiles that memory has no room for: those that have changed since the state was kept in a file that is gone
//! with the process, the others in the state itself. In: profiles of an engine. Out: the same.

use super::{KeptError, SCHEMA};
use baseline::Day;
use detect::{Away, Part, Shelf, ShelfError};
use std::{ops::RangeInclusive, path::Path};
use store::{Row, Store, Value, WrongValue};

/// Of days: those that are not closed, where there is one. Of bytes: those that the state has not.
const TABLES: &str = "
    CREATE TABLE away (
      id INTEGER PRIMARY KEY,
      k BLOB NOT NULL UNIQUE,
      first_open INTEGER,
      v BLOB
    ) STRICT;
    CREATE INDEX away_by_day ON away (first_open, k) WHERE first_open IS NOT NULL;
    CREATE INDEX away_changed ON away (id) WHERE v IS NOT NULL;";

/// What of each file stays in memory at most; less where profiles take less than [`CACHE_SHARE`] times as much. Unit:
/// bytes.
const CACHE_BYTES_MAX: usize = 64 << 20;
const CACHE_SHARE: usize = 32;

/// A shelf beside a state, or of a replay that keeps none.
#[derive(Debug)]
pub struct ProfileShelf {
    away: Store,
    state: Option<Store>,
}

impl ProfileShelf {
    /// Of a state that somebody has open, or of none; beside it profiles of `profiles_bytes_max` are held.
    pub fn new(state: Option<&Path>, profiles_bytes_max: usize) -> Result<Self, KeptError> {
        let away = Store::scratch(TABLES)?;
        let state = state.map(|path| Store::read(path, &SCHEMA)).transpose()?;
        for store in std::iter::once(&away).chain(&state) {
            let cache = CACHE_BYTES_MAX.min(profiles_bytes_max / CACHE_SHARE);
            store.cache(u32::try_from(cache).unwrap_or(u32::MAX))?;
        }
        Ok(Self { away, state })
    }

    /// The bytes that lie here of somebody, by a question for them.
    fn here(&self, sql: &str, id: u128) -> Result<Option<Vec<u8>>, KeptError> {
        let row = self.away.query(sql, &[key(id)])?.into_iter().next();
        let bytes = row.map(|mut row| row.maybe_blob()).transpose();
        Ok(bytes.map_err(|wrong| self.away.damaged(&wrong))?.flatten())
    }

    fn of_state(&self, id: u128) -> Result<Option<Vec<u8>>, KeptError> {
        let Some(state) = &self.state else { return Ok(None) };
        let sql = "SELECT v FROM state_parts WHERE part = ?1 AND k = ?2";
        let part = Value::Text(Part::Entity.name().to_owned());
        let row = state.query(sql, &[part, key(id)])?.into_iter().next();
        let bytes = row.map(|mut row| row.blob()).transpose();
        bytes.map_err(|wrong| state.damaged(&wrong).into())
    }

    fn put_all(&self, all: &[Away]) -> Result<(), KeptError> {
        self.away.begin()?;
        for Away { id, first_open, bytes } in all {
            if self.state.is_some() && bytes.is_none() && first_open.is_none() {
                continue;
            }
            let day = first_open.map_or(Value::Null, |Day(day)| Value::Integer(day.into()));
            let bytes = bytes.clone().map_or(Value::Null, Value::Blob);
            self.away.insert("away", &["k", "first_open", "v"], &[key(*id), day, bytes])?;
        }
        Ok(self.away.commit()?)
    }

    fn take_all(&self, ids: &[u128]) -> Result<Vec<(u128, Vec<u8>)>, KeptError> {
        let mut taken = Vec::new();
        self.away.begin()?;
        if let Some(state) = &self.state {
            state.begin_reading()?;
        }
        for &id in ids {
            let bytes = match self.here("DELETE FROM away WHERE k = ?1 RETURNING v", id)? {
                Some(bytes) => Some(bytes),
                None => self.of_state(id)?,
            };
            taken.extend(bytes.map(|bytes| (id, bytes)));
        }
        if let Some(state) = &self.state {
            state.commit()?;
        }
        self.away.commit()?;
        Ok(taken)
    }

    fn look_at(&self, id: u128) -> Result<Option<Vec<u8>>, KeptError> {
        match self.here("SELECT v FROM away WHERE k = ?1", id)? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.of_state(id),
        }
    }

    fn first_day(&self) -> Result<Option<Day>, KeptError> {
        let sql = "SELECT first_open FROM away WHERE first_open IS NOT NULL \
                   ORDER BY first_open LIMIT 1";
        let row = self.away.query(sql, &[])?.into_iter().next();
        let day = row.map(|mut row| day(row.integer()?)).transpose();
        day.map_err(|wrong| self.away.damaged(&wrong).into())
    }

    fn each_of_days(&self, visit: &mut dyn FnMut(u128, Day)) -> Result<(), KeptError> {
        let sql = "SELECT k, first_open FROM away WHERE first_open IS NOT NULL";
        self.away.each(sql, &mut |mut row| {
            let read = row.blob().and_then(|key| Ok((id(&key)?, day(row.integer()?)?)));
            let (id, day) = read.map_err(|wrong| self.away.damaged(&wrong))?;
            visit(id, day);
            Ok(())
        })
    }

    fn ids_on(&self, Day(day): Day, n_max: usize) -> Result<Vec<u128>, KeptError> {
        let sql = "SELECT k FROM away WHERE first_open = ?1 ORDER BY k LIMIT ?2";
        let n_max = i64::try_from(n_max).unwrap_or(i64::MAX);
        let values = [Value::Integer(day.into()), Value::Integer(n_max)];
        read_ids(&self.away, self.away.query(sql, &values)?)
    }

    fn ids_between(&self, ids: RangeInclusive<u128>) -> Result<Vec<u128>, KeptError> {
        let (first, last) = ids.into_inner();
        let bounds = [key(first), key(last)];
        let sql = "SELECT k FROM away WHERE k BETWEEN ?1 AND ?2";
        let mut all = read_ids(&self.away, self.away.query(sql, &bounds)?)?;
        if let Some(state) = &self.state {
            let sql = "SELECT k FROM state_parts WHERE part = ?3 AND k BETWEEN ?1 AND ?2";
            let [first, last] = bounds;
            let part = Value::Text(Part::Entity.name().to_owned());
            all.extend(read_ids(state, state.query(sql, &[first, last, part])?)?);
        }
        Ok(all)
    }

    fn all_kept(&self) -> Result<(), KeptError> {
        if self.state.is_some() {
            self.away
                .execute("DELETE FROM away WHERE v IS NOT NULL AND first_open IS NULL", &[])?;
            self.away.execute("UPDATE away SET v = NULL WHERE v IS NOT NULL", &[])?;
        }
        Ok(())
    }
}

/// The ids that rows of keys hold.
fn read_ids(store: &Store, rows: Vec<Row>) -> Result<Vec<u128>, KeptError> {
    let ids = rows.into_iter().map(|mut row| id(&row.blob()?));
    ids.collect::<Result<_, WrongValue>>().map_err(|wrong| store.damaged(&wrong).into())
}

/// Keys sort as numbers do.
fn key(id: u128) -> Value {
    Value::Blob(id.to_be_bytes().to_vec())
}

fn id(key: &[u8]) -> Result<u128, WrongValue> {
    let bytes = key.try_into();
    let bytes = bytes.map_err(|_| WrongValue("holds no key of 16 bytes".to_owned()))?;
    Ok(u128::from_be_bytes(bytes))
}

fn day(number: i64) -> Result<Day, WrongValue> {
    let wrong = |_| WrongValue(format!("holds {number} where a day should be"));
    i32::try_from(number).map(Day).map_err(wrong)
}

impl Shelf for ProfileShelf {
    fn put(&mut self, all: &[Away]) -> Result<(), ShelfError> {
        self.put_all(all).map_err(ShelfError::new)
    }

    fn look(&self, id: u128) -> Result<Option<Vec<u8>>, ShelfError> {
        self.look_at(id).map_err(ShelfError::new)
    }

    fn take(&mut self, ids: &[u128]) -> Result<Vec<(u128, Vec<u8>)>, ShelfError> {
        self.take_all(ids).map_err(ShelfError::new)
    }

    fn first_open(&self) -> Result<Option<Day>, ShelfError> {
        self.first_day().map_err(ShelfError::new)
    }

    fn each_open(&self, visit: &mut dyn FnMut(u128, Day)) -> Result<(), ShelfError> {
        self.each_of_days(visit).map_err(ShelfError::new)
    }

    fn open_on(&self, day: Day, n_max: usize) -> Result<Vec<u128>, ShelfError> {
        self.ids_on(day, n_max).map_err(ShelfError::new)
    }

    fn between(&self, ids: RangeInclusive<u128>) -> Result<Vec<u128>, ShelfError> {
        self.ids_between(ids).map_err(ShelfError::new)
    }

    fn kept(&mut self) -> Result<(), ShelfError> {
        self.all_kept().map_err(ShelfError::new)
    }
}

#[cfg(test)]
mod tests;
