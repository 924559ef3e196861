//! Lambda.

use crate::calls;

calls! {
    "lambda": invoke(function) = "Invoke", ask: r#"{"functionName":"arn:aws:lambda:<region>:<account>:function:<function>","invocationType":"RequestResponse"}"#,
        add: r#"{"functionVersion":"arn:aws:lambda:<region>:<account>:function:<function>:$LATEST"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:<region>:<account>:function:<function>"}"#;
    "lambda": create_function(function, role, bucket) = "CreateFunction20150331", ask: r#"{"functionName":"<function>","runtime":"nodejs22.x","role":"arn:aws:iam::<account>:role/<role>","handler":"index.handler","code":{"s3Bucket":"<bucket>","s3Key":"<function>.zip"},"description":"","timeout":3,"memorySize":128,"publish":false,"packageType":"Zip","environment":{},"tags":{"Project":"platform"}}"#,
        answer: r#"{"functionName":"<function>","functionArn":"arn:aws:lambda:<region>:<account>:function:<function>","runtime":"nodejs22.x","role":"arn:aws:iam::<account>:role/<role>","handler":"index.handler","codeSize":4821,"description":"","timeout":3,"memorySize":128,"lastModified":"<iso>","codeSha256":"<base64>","version":"$LATEST","environment":{},"tracingConfig":{"mode":"PassThrough"},"revisionId":"<uuid>","state":"Pending","stateReason":"The function is being created.","stateReasonCode":"Creating","packageType":"Zip","architectures":["x86_64"],"ephemeralStorage":{"size":512},"snapStart":{"applyOn":"None","optimizationStatus":"Off"},"runtimeVersionConfig":{"runtimeVersionArn":"arn:aws:lambda:<region>::runtime:<hex64>"}}"#;
    "lambda": update_function_code(function, bucket) = "UpdateFunctionCode20150331v2", ask: r#"{"functionName":"<function>","s3Bucket":"<bucket>","s3Key":"<function>.zip","publish":false,"dryRun":false}"#,
        answer: r#"{"functionName":"<function>","functionArn":"arn:aws:lambda:<region>:<account>:function:<function>","runtime":"nodejs22.x","handler":"index.handler","codeSize":4903,"description":"","timeout":3,"memorySize":128,"lastModified":"<iso>","codeSha256":"<base64>","version":"$LATEST","tracingConfig":{"mode":"PassThrough"},"revisionId":"<uuid>","state":"Active","lastUpdateStatus":"InProgress","lastUpdateStatusReason":"The function is being created.","lastUpdateStatusReasonCode":"Creating","packageType":"Zip","architectures":["x86_64"],"ephemeralStorage":{"size":512}}"#;
    "lambda": update_function_configuration(function, layer) = "UpdateFunctionConfiguration20150331v2", ask: r#"{"functionName":"<function>","layers":["<layer>"],"environment":{}}"#,
        answer: r#"{"functionName":"<function>","functionArn":"arn:aws:lambda:<region>:<account>:function:<function>","runtime":"python3.13","handler":"index.handler","codeSize":4903,"description":"","memorySize":128,"lastModified":"<iso>","codeSha256":"<base64>","environment":{},"revisionId":"<uuid>","layers":[{"arn":"<layer>","codeSize":2120,"uncompressedCodeSize":2672}],"lastUpdateStatus":"InProgress","lastUpdateStatusReason":"The function is being created.","lastUpdateStatusReasonCode":"Creating","packageType":"Zip","architectures":["x86_64"],"ephemeralStorage":{"size":512}}"#;
    "lambda": get_function(function) = "GetFunction20150331v2", ask: r#"{"functionName":"<function>"}"#;
    "lambda": list_functions() = "ListFunctions20150331";
    "lambda": list_versions(function) = "ListVersionsByFunction20150331", ask: r#"{"functionName":"<function>","maxItems":10000}"#;
    "lambda": delete_function(function) = "DeleteFunction20150331", ask: r#"{"functionName":"<function>"}"#;
    "lambda": add_permission(function, principal) = "AddPermission20150331v2", ask: r#"{"functionName":"<function>","statementId":"invoke","action":"lambda:InvokeFunction","principal":"<principal>"}"#,
        answer: r#"{"statement":"{\"Sid\":\"invoke\",\"Effect\":\"Allow\",\"Principal\":\"<principal>\",\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"arn:aws:lambda:<region>:<account>:function:<function>\"}"}"#;
}
