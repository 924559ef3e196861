//! Bedrock: using models, and getting access to them.

use crate::aws::call::Call;
use crate::calls;

calls! {
    "bedrock": invoke_model(model) = "InvokeModel", ask: r#"{"modelId":"<model>"}"#;
    "bedrock": invoke_model_with_response_stream(model) = "InvokeModelWithResponseStream", ask: r#"{"modelId":"<model>"}"#;
    "bedrock": converse(model) = "Converse", ask: r#"{"modelId":"<model>"}"#;
    "bedrock": retrieve(knowledge) = "Retrieve", ask: r#"{"knowledgeBaseId":"<knowledge>","retrievalQuery":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::Bedrock::KnowledgeBase","ARN":"arn:aws:bedrock:<region>:<account>:knowledge-base/<knowledge>"}"#;
    "bedrock": list_foundation_models() = "ListFoundationModels";
    "bedrock": get_foundation_model_availability(model) = "GetFoundationModelAvailability", ask: r#"{"modelId":"<model>"}"#;
    "bedrock": list_foundation_model_agreement_offers(model) = "ListFoundationModelAgreementOffers", ask: r#"{"modelId":"<model>"}"#;
    "bedrock": create_foundation_model_agreement(model) = "CreateFoundationModelAgreement", ask: r#"{"modelId":"<model>","offerToken":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, answer: r#"{"modelId":"<model>"}"#;
    "bedrock": put_foundation_model_entitlement(model) = "PutFoundationModelEntitlement", ask: r#"{"modelId":"<model>"}"#, answer: r#"{"status":"SUCCESS"}"#;
    "bedrock": put_use_case_for_model_access() = "PutUseCaseForModelAccess", ask: r#"{"formData":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#;
    "bedrock": get_use_case_for_model_access() = "GetUseCaseForModelAccess";
    "bedrock": get_model_invocation_logging_configuration() = "GetModelInvocationLoggingConfiguration";
    "bedrock": delete_model_invocation_logging_configuration() = "DeleteModelInvocationLoggingConfiguration";
}

/// Models are used, and knowledge bases asked, at hosts of their own.
pub fn at_runtime(call: Call) -> Call {
    let host = if call.name == "Retrieve" { "bedrock-agent-runtime." } else { "bedrock-runtime." };
    let host = [host, call.region, ".amazonaws.com"].concat();
    call.to(host)
}
