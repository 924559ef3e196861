use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "lateral-movement";
const ENI: &str = "eni-0123456789abcdef0";

fn logged_on(day: i32, (peer, port): (&str, u16)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, "10:00"));
    Call { is_answered: true, bytes: (9_000, 90_000), ..one }
}

fn habit(days: i32) -> Logs {
    let days = -2 - days..-2;
    days.fold(Logs::new(), |logs, day| logs.flow(logged_on(day, ("10.0.0.2", 22))))
}

#[test]
fn a_neighbour_that_was_never_logged_on_to_is_told() {
    for (peer, port) in [("10.0.0.9", 22), ("fd00::9", 3389), ("10.0.0.2", 5985)] {
        let finding = habit(10).flow(logged_on(0, (peer, port))).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &[&format!("logged on at port {port} of {peer}, where"), "10.0.0.2 22"]);
        let flow = finding.flow.unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![port]));
    }
}

#[test]
fn usual_neighbours_programs_and_refusals_stay_quiet() {
    habit(10).flow(logged_on(0, ("10.0.0.2", 22))).stays_quiet(ID);
    habit(10).flow(logged_on(0, ("10.0.0.9", 5432))).stays_quiet(ID);
    habit(10).flow(logged_on(0, ("198.51.100.9", 22))).stays_quiet(ID);
    let refused = Call { is_answered: false, ..logged_on(0, ("10.0.0.9", 22)) };
    habit(10).flow(refused).stays_quiet(ID);
}

#[test]
fn a_young_interface_and_a_bastion_stay_quiet() {
    habit(6).flow(logged_on(0, ("10.0.0.9", 22))).stays_quiet(ID);
    let mut logs = Logs::new();
    for day in -12..-2_i32 {
        for n in 0..8 {
            let peer = format!("10.0.{}.{n}", day.unsigned_abs());
            logs = logs.flow(logged_on(day, (&peer, 22)));
        }
    }
    logs.flow(logged_on(0, ("10.0.0.9", 22))).stays_quiet(ID);
}
