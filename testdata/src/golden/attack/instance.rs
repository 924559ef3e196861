//! The billing instance's credentials, used from a hosting network outside AWS.

use super::super::cast::{HOSTING, INSTANCE, INTRUDER_TOOL, INVOICES};
use super::super::truth::Title;
use super::super::{ACCOUNT, HOME, Story};
use super::INSTANCE_ROBBED_S;
use crate::aws::call::{Call, Encryption, Transfer};
use crate::aws::caller::Caller;
use crate::clock::MINUTE_S;

pub(super) fn tell(story: &mut Story) {
    let (key, since_s) = story.stolen_key.clone();
    let thief = Caller::new(story.cast.instance(&key, since_s), HOSTING, INTRUDER_TOOL);
    let session = story.cast.worker.session_arn(INSTANCE);
    let mut events = Vec::new();
    let mut time_s = INSTANCE_ROBBED_S + 6 * MINUTE_S;
    for (service, name) in [("sts", "GetCallerIdentity"), ("ec2", "DescribeInstances")] {
        time_s += story.rng.between(10, 40);
        let mut call = Call::new(time_s, HOME, service, name);
        if service == "ec2" {
            let message = format!(
                "You are not authorized to perform this operation. User: {session} is not \
                 authorized to perform: ec2:DescribeInstances because no identity-based policy \
                 allows the ec2:DescribeInstances action"
            );
            call = call.refused("Client.UnauthorizedOperation", message);
        }
        events.push((time_s, story.tell(&thief, call)));
    }
    for _ in 0..20 {
        time_s += story.rng.between(4, 20);
        let object = format!("done/2026/03/11/invoice-{}.pdf", story.rng.between(10_000, 99_999));
        let out_bytes = story.rng.between(8_000, 240_000);
        let moved = Transfer { in_bytes: 0, out_bytes, encryption: Encryption::Default };
        let call = Call::new(time_s, HOME, "s3", "GetObject").on_object(
            ACCOUNT,
            (INVOICES, &object),
            moved,
            &mut story.rng,
        );
        events.push((time_s, story.tell(&thief, call)));
    }
    let title = Title {
        name: "the instance's credentials are used outside of AWS",
        entity: session,
        technique: "T1552.005",
    };
    story.truth.attack(title, &events);
}
