//! Athena and Glue: what people who work with data ask for.

use crate::calls;

calls! {
    "athena": start_query_execution(database, bucket) = "StartQueryExecution", ask: r#"{"queryString":"***OMITTED***","clientRequestToken":"<uuid>","queryExecutionContext":{"database":"<database>","catalog":"AwsDataCatalog"},"resultConfiguration":{"outputLocation":"s3://<bucket>/athena/"},"workGroup":"primary"}"#,
        answer: r#"{"queryExecutionId":"<uuid>"}"#;
    "athena": get_query_execution(execution) = "GetQueryExecution", ask: r#"{"queryExecutionId":"<execution>"}"#;
    "athena": get_query_results(execution) = "GetQueryResults", ask: r#"{"queryExecutionId":"<execution>","maxResults":1000}"#;
    "glue": get_tables(database) = "GetTables", ask: r#"{"databaseName":"<database>"}"#;
    "glue": get_job_runs(job) = "GetJobRuns", ask: r#"{"jobName":"<job>"}"#;
    "glue": start_job_run(job) = "StartJobRun", ask: r#"{"jobName":"<job>"}"#, answer: r#"{"jobRunId":"jr_<hex64>"}"#;
    "glue": start_crawler(crawler) = "StartCrawler", ask: r#"{"name":"<crawler>"}"#;
}
