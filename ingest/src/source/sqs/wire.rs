//! The calls to SQS. In: a queue and what to ask of it. Out: answers in the words of the desk.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Builder, Region};
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName,
};

use super::super::session::Session;
use super::deletions::{Deleted, Deletion};
use super::desk::QueueRules;
use super::lease::Extension;
use super::message::Received;
use super::{POLL_S, SqsError, region_of};

/// One queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// It is asked where its URL says that it is.
    pub(crate) fn new(session: &Session, url: String) -> Self {
        let region = region_of(&url).map(|region| Region::new(region.to_owned()));
        let region = region.or_else(|| session.sdk.region().cloned());
        let mut config = Builder::from(&session.sdk);
        config.set_region(region);
        Self { client: Client::from_conf(config.build()), url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the queue says of its visibility timeout and its dead letters.
    pub(crate) async fn rules(&self) -> Result<QueueRules, SqsError> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .map_err(|error| SqsError::Queue {
                queue: self.url.clone(),
                reason: DisplayErrorContext(error).to_string(),
            })?;
        let said = |name: QueueAttributeName| answer.attributes()?.get(&name);
        let timeout_s = said(QueueAttributeName::VisibilityTimeout)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        if timeout_s == 0 {
            return Err(SqsError::NoTimeout { queue: self.url.clone() });
        }
        let receives_max = said(QueueAttributeName::RedrivePolicy).and_then(|text| receives(text));
        Ok(QueueRules { timeout: Duration::from_secs(timeout_s), receives_max })
    }

    /// Waits for at most so many messages.
    pub(crate) async fn receive(&self, messages_max: usize) -> Result<Vec<Received>, String> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(messages_max).unwrap_or(1))
            .wait_time_seconds(POLL_S)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        let received = answer.messages.unwrap_or_default().into_iter().map(|message| {
            let count = message
                .attributes()
                .and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount))
                .and_then(|text| text.parse().ok());
            Received {
                body: message.body.unwrap_or_default(),
                handle: message.receipt_handle.unwrap_or_default(),
                receive_count: count.unwrap_or(1),
            }
        });
        Ok(received.collect())
    }

    /// Keeps a message invisible for so long from now on; 0 shows it at once.
    pub(crate) async fn hide(&self, handle: String, timeout_s: u32) -> Extension {
        let answer = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(handle)
            .visibility_timeout(i32::try_from(timeout_s).unwrap_or(i32::MAX))
            .send()
            .await;
        match answer {
            Ok(_) => Extension::Done,
            Err(SdkError::ServiceError(error)) => extension(error.err().meta().code()),
            Err(_) => Extension::Failed,
        }
    }

    /// Deletes messages; what SQS said of each.
    pub(crate) async fn delete(&self, batch: Vec<Deletion>) -> Vec<(Deletion, Deleted)> {
        let entries = batch.iter().enumerate().filter_map(|(number, deletion)| {
            let entry = DeleteMessageBatchRequestEntry::builder();
            entry.id(number.to_string()).receipt_handle(&deletion.handle).build().ok()
        });
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries.collect())).send().await.ok();
        let said = |number: usize| {
            let (Some(answer), id) = (&answer, number.to_string()) else { return Deleted::Failed };
            if answer.successful().iter().any(|entry| entry.id() == id) {
                return Deleted::Done;
            }
            match answer.failed().iter().find(|entry| entry.id() == id) {
                Some(entry) if entry.sender_fault() => Deleted::Refused,
                _ => Deleted::Failed,
            }
        };
        batch.into_iter().enumerate().map(|(number, one)| (one, said(number))).collect()
    }
}

/// What an error to an extension means: refused is what waiting does not mend.
fn extension(code: Option<&str>) -> Extension {
    let code = code.unwrap_or_default();
    let refused = [
        "MessageNotInflight",
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
        "QueueDoesNotExist",
        "NonExistentQueue",
    ];
    if refused.iter().any(|end| code.ends_with(end)) {
        Extension::Refused
    } else {
        Extension::Failed
    }
}

/// `maxReceiveCount` of a redrive policy, which is JSON in a text; some write it as a text again.
fn receives(policy: &str) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let count = policy.get("maxReceiveCount")?;
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    u32::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::session::Access;
    use super::*;

    #[tokio::test]
    async fn a_queue_is_asked_in_the_region_of_its_url() {
        let session = Session::with_test_keys(&Access::default()).await.unwrap();
        let region = |url: &str| {
            let queue = Queue::new(&session, url.to_owned());
            queue.client.config().region().map(ToString::to_string)
        };
        for (url, expected) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/logs", "eu-west-1"),
            ("https://sqs-fips.us-west-2.amazonaws.com/111122223333/logs", "us-west-2"),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/logs", "cn-north-1"),
            ("http://127.0.0.1:5000/111122223333/logs", "us-east-1"),
        ] {
            assert_eq!(region(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn a_redrive_policy_says_how_often() {
        assert_eq!(receives(r#"{"deadLetterTargetArn":"arn:x","maxReceiveCount":5}"#), Some(5));
        assert_eq!(receives(r#"{"maxReceiveCount":"1000"}"#), Some(1_000));
        assert_eq!((receives("{}"), receives("")), (None, None));
    }

    #[test]
    fn only_what_waiting_does_not_mend_is_refused() {
        let invalid = "AWS.SimpleQueueService.MessageNotInflight";
        assert_eq!(extension(Some(invalid)), Extension::Refused);
        assert_eq!(extension(Some("InvalidParameterValue")), Extension::Refused);
        assert_eq!(extension(Some("RequestThrottled")), Extension::Failed);
        assert_eq!(extension(None), Extension::Failed);
    }
}
