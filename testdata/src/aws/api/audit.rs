//! What audits read of services that hardly anybody else looks at.

use crate::calls;

calls! {
    "access-analyzer": list_analyzers() = "ListAnalyzers";
    "acm": list_certificates() = "ListCertificates";
    "apigateway": get_rest_apis() = "GetRestApis", ask: r#"{"limit":500,"template":false}"#;
    "ecs": list_clusters() = "ListClusters";
    "eks": list_eks_clusters() = "ListClusters", ask: r#"{"maxResults":100}"#;
    "elasticache": describe_cache_clusters() = "DescribeCacheClusters", ask: r#"{"maxRecords":100}"#;
    "elasticfilesystem": describe_file_systems() = "DescribeFileSystems", ask: r#"{"maxItems":100}"#;
    "glue": get_databases() = "GetDatabases", ask: r#"{"maxResults":100}"#;
    "macie2": get_macie_session() = "GetMacieSession";
    "redshift": describe_clusters() = "DescribeClusters";
    "sagemaker": list_notebook_instances() = "ListNotebookInstances";
    "sns": list_topics() = "ListTopics";
    "sqs": list_queues() = "ListQueues";
}
