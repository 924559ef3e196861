//! A notebook of the data team: cells that list and read objects, and queries of Athena.

use super::things::Dealt;
use super::{Desk, entry};
use crate::aws::api::{At, analytics, s3};
use crate::aws::caller::Caller;
use crate::life::{Life, Stage};
use crate::rng::Rng;

/// Cells run: median, deviation of the logarithm, range.
const CELLS: (f64, f64, (i64, i64)) = (8.0, 0.8, (2, 60));
/// From one cell to the next: median, deviation of the logarithm, range. Unit: seconds.
const WAIT_S: (f64, f64, (i64, i64)) = (140.0, 1.1, (10, 2_400));
/// Objects of one cell: median, deviation of the logarithm, range.
const OBJECTS: (f64, f64, (i64, i64)) = (7.0, 0.9, (1, 120));
/// What an object has: median, deviation of the logarithm, range. Unit: bytes.
const BYTES: (f64, f64, (i64, i64)) = (3_000_000.0, 1.5, (1_000, 900_000_000));

/// A session in a notebook.
pub(super) struct Notebook {
    desk: Desk,
    rng: Rng,
    caller: Option<Caller>,
    left_cells: i64,
}

impl Notebook {
    pub(super) fn new(desk: Desk, mut rng: Rng) -> Self {
        let left_cells = rng.log_normal_between(CELLS.0, CELLS.1, CELLS.2);
        Self { desk, rng, caller: None, left_cells }
    }

    fn cell(&mut self, now_s: i64, caller: &Caller, stage: &mut Stage<'_>) {
        let (organisation, number) = (stage.organisation, self.desk.account);
        let Some(account) = organisation.accounts.get(number) else { return };
        let rng = &mut self.rng;
        let dealt = Dealt::new(organisation, number, rng);
        let of = dealt.things();
        let mut at = At { time_s: now_s, region: account.home, account: &account.id };
        if rng.one_in(3) {
            let query = analytics::start_query_execution(at, of.service, of.bucket, rng);
            stage.call(number, caller, query, rng);
            let execution = rng.uuid();
            for _ in 0..rng.between(1, 6) {
                at.time_s += 1;
                let state = analytics::get_query_execution(at, &execution, rng);
                stage.call(number, caller, state, rng);
            }
            let results = analytics::get_query_results(at, &execution, rng);
            stage.call(number, caller, results, rng);
            return;
        }
        let prefix = format!("raw/{}/", of.service);
        let listed = s3::list_objects(at, (of.bucket, &prefix), 9_000, rng);
        stage.call(number, caller, listed, rng);
        let first = rng.between(0, 1_500);
        for object in 0..rng.log_normal_between(OBJECTS.0, OBJECTS.1, OBJECTS.2) {
            at.time_s += rng.between(0, 2);
            let key = format!("{prefix}part-{:05}.parquet", first + object);
            let bytes = rng.log_normal_between(BYTES.0, BYTES.1, BYTES.2);
            let read = s3::get_object(at, (of.bucket, &key), bytes, rng);
            stage.call(number, caller, read, rng);
        }
        if rng.one_in(6) {
            let key = format!("derived/{}/{}.parquet", of.service, rng.hex(8));
            let bytes = rng.log_normal_between(BYTES.0 / 4.0, BYTES.1, BYTES.2);
            let written = s3::put_object(at, (of.bucket, &key), bytes, rng);
            stage.call(number, caller, written, rng);
        }
    }
}

impl Life for Notebook {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let address = self.desk.address(now_s, stage.organisation)?;
        let Some(caller) = self.caller.take() else {
            let at = (now_s, address.as_str());
            let (caller, next_s) = entry::on_command_line(&self.desk, stage, at, &mut self.rng)?;
            let person = stage.organisation.people.get(self.desk.number)?;
            self.caller = Some(caller.with(person.laptop().python));
            return Some(next_s);
        };
        let caller = caller.moved(&address, &caller.agent);
        self.cell(now_s, &caller, stage);
        self.caller = Some(caller);
        self.left_cells -= 1;
        let wait_s = self.rng.log_normal_between(WAIT_S.0, WAIT_S.1, WAIT_S.2);
        (self.left_cells > 0).then_some(now_s + wait_s)
    }
}
