//! What people said of findings. In: marks, from whoever writes the file or another process. Out: what they teach, and
//! those that a state has not learned from yet.

use super::{Kept, KeptError, KeptFindings, KeptMark, StateFile, rows, whole};
use baseline::Day;
use detect::{Finding, FindingId, Heard, Mark, Marked, Marks};
use store::{Store, Value};

/// A mark, and the day on which a state learned from it.
type Known = (KeptMark, Option<Day>);

/// That of one finding, if there is any.
pub(super) fn of(store: &Store, id: FindingId) -> Result<Option<Known>, KeptError> {
    let marks = all(store, "WHERE finding = ?1", &[rows::text(&id.to_string())])?;
    Ok(marks.into_iter().next().map(|(_, known)| known))
}

fn all(store: &Store, which: &str, values: &[Value]) -> Result<Vec<(FindingId, Known)>, KeptError> {
    let columns = rows::MARK.join(", ");
    let sql = format!("SELECT {columns}, checksum FROM marks {which} ORDER BY finding");
    let mut marks = Vec::new();
    for mut row in store.query(&sql, values)? {
        let own: Vec<_> = row.values().iter().take(rows::MARK.len()).cloned().collect();
        let read = rows::mark(&mut row).and_then(|mark| Ok((mark, row.text()?)));
        let ((id, mark, heard_on), checksum) = read.map_err(|wrong| store.damaged(&wrong))?;
        if checksum != rows::checksum([&own[..]]) {
            let what = format!("the mark of {id} is not what was written; mark it anew");
            return Err(store.damaged(&what).into());
        }
        marks.push((id, (mark, heard_on)));
    }
    Ok(marks)
}

/// Writes one in place of what was said before.
fn put(store: &Store, id: FindingId, (mark, heard_on): &Known) -> Result<(), KeptError> {
    let mut row = rows::of_mark(id, mark, *heard_on);
    row.push(rows::text(&rows::checksum([&row[..]])));
    store.execute("DELETE FROM marks WHERE finding = ?1", &[rows::text(&id.to_string())])?;
    Ok(store.insert("marks", &[&rows::MARK[..], &["checksum"]].concat(), &row)?)
}

/// What a mark teaches, if its finding is there.
fn marked(store: &Store, id: FindingId, mark: Mark) -> Result<Option<Marked>, KeptError> {
    let Some(Kept { finding, .. }) = whole::kept(store, id)? else { return Ok(None) };
    let Finding { entity, day, news, .. } = finding;
    Ok(Some(Marked { id, entity, day, news, mark }))
}

impl KeptFindings {
    /// What people said, of findings that are there or not.
    pub(crate) fn marks(&self) -> Result<Marks, KeptError> {
        let marks = all(&self.0, "", &[])?;
        Ok(marks.into_iter().map(|(id, (kept, _))| (id, kept.mark)).collect())
    }

    /// What people said of findings that are there, with what of each it teaches; and of how many
    /// findings they said something that are not there any more.
    pub fn marked(&self) -> Result<(Vec<Marked>, u64), KeptError> {
        let mut all = Vec::new();
        let mut n_gone = 0;
        for (id, mark) in self.marks()? {
            match marked(&self.0, id, mark)? {
                Some(marked) => all.push(marked),
                None => n_gone += 1,
            }
        }
        Ok((all, n_gone))
    }

    /// Keeps what a person says of a finding, instead of what was said before; answers that.
    pub fn mark(&self, id: FindingId, mark: &KeptMark) -> Result<Option<KeptMark>, KeptError> {
        self.0.begin()?;
        let before = of(&self.0, id)?;
        // Another reason teaches nothing else.
        let same = before.as_ref().filter(|(before, _)| before.mark == mark.mark);
        let heard_on = same.and_then(|(_, heard_on)| *heard_on);
        put(&self.0, id, &(mark.clone(), heard_on))?;
        self.0.commit()?;
        Ok(before.map(|(before, _)| before))
    }
}

impl StateFile {
    /// What other processes said of findings that are there, and the state has not learned from; nothing where nobody
    /// has written since this was asked last.
    pub fn unheard(&mut self) -> Result<Vec<Marked>, KeptError> {
        let store = self.keeper.store();
        let version = Some(store.version_of_others()?);
        if version == self.marks_version {
            return Ok(Vec::new());
        }
        let mut unheard = Vec::new();
        for (id, (kept, _)) in all(store, "WHERE heard_on IS NULL", &[])? {
            unheard.extend(marked(store, id, kept.mark)?);
        }
        self.marks_version = version;
        Ok(unheard)
    }

    /// Notes in an epoch that what it keeps of the engine rests on a mark. One that has been replaced since stays unheard.
    pub fn heard(&mut self, heard: &Heard) -> Result<(), KeptError> {
        let store = self.keeper.store();
        match of(store, heard.id)? {
            Some((kept, _)) if kept.mark == heard.mark => {
                put(store, heard.id, &(kept, Some(heard.on)))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
