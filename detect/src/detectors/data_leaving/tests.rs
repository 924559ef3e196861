use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "data-leaving";
const ENI: &str = "eni-0123456789abcdef0";
const MIB: u64 = 1 << 20;

fn sent(day: i32, clock: &str, peer: &str, mebibytes: u64) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 443), at(day, clock));
    Call { is_answered: true, bytes: (mebibytes * MIB, MIB), ..one }
}

fn habit(mebibytes: u64) -> Logs {
    let mut logs = Logs::new();
    for day in -12..-2 {
        for hour in 8..16 {
            logs = logs.flow(sent(day, &format!("{hour}:10"), "198.51.100.1", mebibytes));
        }
    }
    logs
}

#[test]
fn far_more_than_ever_is_told_with_the_heaviest_peer() {
    for peer in ["198.51.100.7", "2001:db8::7"] {
        let logs = habit(3).flow(sent(0, "10:00", peer, 5_000));
        let finding = logs.flow(sent(0, "10:30", "198.51.100.1", 100)).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &["sent 5100 MiB outside", &format!("5000 MiB of them to {peer}")]);
        assert_eq!(finding.flow.unwrap().peers, [peer, "198.51.100.1"]);
    }
}

#[test]
fn a_backup_of_every_day_is_usual() {
    habit(5_000).flow(sent(0, "10:00", "198.51.100.1", 5_500)).stays_quiet(ID);
}

#[test]
fn little_or_what_nobody_can_judge_stays_quiet() {
    habit(3).flow(sent(0, "10:00", "198.51.100.7", 499)).stays_quiet(ID);
    Logs::new().flow(sent(0, "10:00", "198.51.100.7", 50_000)).stays_quiet(ID);
    habit(3).flow(sent(0, "10:00", "10.0.0.9", 50_000)).stays_quiet(ID);
    let served = Call { is_inbound: true, ..sent(0, "10:00", "198.51.100.7", 50_000) };
    habit(3).flow(served).stays_quiet(ID);
}
