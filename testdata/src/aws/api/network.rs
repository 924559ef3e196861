//! VPCs and what is in them, load balancers and scaling groups.

use crate::calls;

calls! {
    "ec2": create_vpc(vpc, cidr, name) = "CreateVpc", ask: r#"{"cidrBlock":"<cidr>","instanceTenancy":"default","amazonProvidedIpv6CidrBlock":false,"tagSpecificationSet":{"items":[{"resourceType":"vpc","tags":[{"key":"Name","value":"<name>"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","vpc":{"vpcId":"<vpc>","state":"pending","ownerId":"<account>","cidrBlock":"<cidr>","cidrBlockAssociationSet":{"items":[{"cidrBlock":"<cidr>","associationId":"vpc-cidr-assoc-<id>","cidrBlockState":{"state":"associated"}}]},"ipv6CidrBlockAssociationSet":{},"dhcpOptionsId":"dopt-<id>","instanceTenancy":"default","tagSet":{"items":[{"key":"Name","value":"<name>"}]},"isDefault":false}}"#;
    "ec2": delete_vpc(vpc) = "DeleteVpc", ask: r#"{"vpcId":"<vpc>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": describe_vpcs() = "DescribeVpcs", ask: r#"{"maxResults":200,"vpcSet":{},"filterSet":{}}"#;
    "ec2": describe_vpc(vpc) = "DescribeVpcs", ask: r#"{"vpcSet":{"items":[{"vpcId":"<vpc>"}]},"filterSet":{}}"#;
    "ec2": describe_vpc_attribute(vpc) = "DescribeVpcAttribute", ask: r#"{"vpcId":"<vpc>"}"#;
    "ec2": create_subnet(vpc, subnet, cidr) = "CreateSubnet", ask: r#"{"vpcId":"<vpc>","cidrBlock":"<cidr>","availabilityZone":"<region>a","tagSpecificationSet":{"items":[{"resourceType":"subnet","tags":[{"key":"Name","value":"private"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","subnet":{"subnetId":"<subnet>","subnetArn":"arn:aws:ec2:<region>:<account>:subnet/<subnet>","state":"available","vpcId":"<vpc>","cidrBlock":"<cidr>","ipv6CidrBlockAssociationSet":{},"availableIpAddressCount":251,"availabilityZone":"<region>a","availabilityZoneId":"az1","ownerId":"<account>","defaultForAz":false,"mapPublicIpOnLaunch":false,"assignIpv6AddressOnCreation":false,"tagSet":{"items":[{"key":"Name","value":"private"}]},"privateDnsNameOptionsOnLaunch":{"hostnameType":"ip-name","enableResourceNameDnsARecord":false,"enableResourceNameDnsAAAARecord":false},"ipv6Native":false,"enableDns64":false}}"#;
    "ec2": delete_subnet(subnet) = "DeleteSubnet", ask: r#"{"subnetId":"<subnet>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": describe_subnet(subnet) = "DescribeSubnets", ask: r#"{"subnetSet":{"items":[{"subnetId":"<subnet>"}]},"filterSet":{}}"#;
    "ec2": describe_availability_zones() = "DescribeAvailabilityZones", ask: r#"{"availabilityZoneSet":{},"availabilityZoneIdSet":{},"filterSet":{"items":[{"name":"state","valueSet":{"items":[{"value":"available"}]}}]}}"#;
    "ec2": create_security_group(vpc, group, name) = "CreateSecurityGroup", ask: r#"{"groupName":"<name>","groupDescription":"managed by Terraform","vpcId":"<vpc>","tagSpecificationSet":{"items":[{"resourceType":"security-group","tags":[{"key":"Name","value":"<name>"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true,"groupId":"<group>","tagSet":{"items":[{"key":"Name","value":"<name>"}]}}"#;
    "ec2": delete_security_group(group) = "DeleteSecurityGroup", ask: r#"{"groupId":"<group>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": describe_security_groups() = "DescribeSecurityGroups", ask: r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#;
    "ec2": create_nat_gateway(subnet, gateway) = "CreateNatGateway", ask: r#"{"CreateNatGatewayRequest":{"SubnetId":"<subnet>","AllocationId":"eipalloc-<id>","ClientToken":"<uuid>"}}"#,
        answer: r#"{"CreateNatGatewayResponse":{"xmlns":"http://ec2.amazonaws.com/doc/2016-11-15/","requestId":"<uuid>","clientToken":"<uuid>","natGateway":{"natGatewayId":"<gateway>","subnetId":"<subnet>","state":"pending"}}}"#;
    "ec2": describe_nat_gateway(gateway) = "DescribeNatGateways", ask: r#"{"DescribeNatGatewaysRequest":{"NatGatewayId":{"tag":1,"content":"<gateway>"}}}"#;
    "ec2": describe_security_group(group) = "DescribeSecurityGroups", ask: r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<group>"}]},"filterSet":{}}"#;
    "ec2": authorize_security_group_ingress(group, port, cidr) = "AuthorizeSecurityGroupIngress", ask: r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"groups":{},"ipRanges":{"items":[{"cidrIp":"<cidr>"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<account>","groupId":"<group>","securityGroupRuleId":"sgr-<id>","isEgress":false,"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"cidrIpv4":"<cidr>"}]}}"#;
    "ec2": revoke_security_group_ingress(group, port, cidr) = "RevokeSecurityGroupIngress", ask: r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"groups":{},"ipRanges":{"items":[{"cidrIp":"<cidr>"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": authorize_security_group_egress(group) = "AuthorizeSecurityGroupEgress", ask: r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"-1","groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<account>","groupId":"<group>","securityGroupRuleId":"sgr-<id>","isEgress":true,"ipProtocol":"-1","fromPort":-1,"toPort":-1,"cidrIpv4":"0.0.0.0/0"}]}}"#;
    "ec2": revoke_security_group_egress(group) = "RevokeSecurityGroupEgress", ask: r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"-1","fromPort":0,"toPort":0,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_route_table(vpc, table, cidr) = "CreateRouteTable", ask: r#"{"vpcId":"<vpc>","tagSpecificationSet":{"items":[{"resourceType":"route-table","tags":[{"key":"Name","value":"private"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","routeTable":{"routeTableId":"<table>","vpcId":"<vpc>","ownerId":"<account>","routeSet":{"items":[{"destinationCidrBlock":"<cidr>","gatewayId":"local","state":"active","origin":"CreateRouteTable"}]},"associationSet":{},"propagatingVgwSet":{},"tagSet":{"items":[{"key":"Name","value":"private"}]}}}"#;
    "ec2": describe_route_table(table) = "DescribeRouteTables", ask: r#"{"routeTableIdSet":{"items":[{"routeTableId":"<table>"}]},"filterSet":{}}"#;
    "ec2": create_route(table, gateway) = "CreateRoute", ask: r#"{"routeTableId":"<table>","destinationCidrBlock":"0.0.0.0/0","gatewayId":"<gateway>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": delete_route(table) = "DeleteRoute", ask: r#"{"routeTableId":"<table>","destinationCidrBlock":"0.0.0.0/0"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": associate_route_table(table, subnet) = "AssociateRouteTable", ask: r#"{"routeTableId":"<table>","subnetId":"<subnet>"}"#, answer: r#"{"requestId":"<uuid>","associationId":"rtbassoc-<id>","associationState":{"state":"associated"}}"#;
    "ec2": disassociate_route_table(association) = "DisassociateRouteTable", ask: r#"{"associationId":"<association>"}"#, answer: r#"{"requestId":"<uuid>","associationState":{"state":"disassociating"},"_return":true}"#;
    "ec2": delete_route_table(table) = "DeleteRouteTable", ask: r#"{"routeTableId":"<table>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_internet_gateway(gateway) = "CreateInternetGateway", ask: r#"{"tagSpecificationSet":{"items":[{"resourceType":"internet-gateway","tags":[{"key":"Name","value":"main"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","internetGateway":{"internetGatewayId":"<gateway>","ownerId":"<account>","attachmentSet":{},"tagSet":{"items":[{"key":"Name","value":"main"}]},"association":{}}}"#;
    "ec2": attach_internet_gateway(gateway, vpc) = "AttachInternetGateway", ask: r#"{"internetGatewayId":"<gateway>","vpcId":"<vpc>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_flow_logs(vpc, flow_log) = "CreateFlowLogs", ask: r#"{"CreateFlowLogsRequest":{"TrafficType":"ALL","LogDestinationType":"s3","ResourceId":{"tag":1,"content":"<vpc>"},"ResourceType":"VPC","MaxAggregationInterval":600}}"#,
        answer: r#"{"CreateFlowLogsResponse":{"xmlns":"http://ec2.amazonaws.com/doc/2016-11-15/","requestId":"<uuid>","unsuccessful":"","clientToken":"<base64>","flowLogIdSet":{"item":"<flow_log>"}}}"#;
    "ec2": delete_flow_logs(flow_log) = "DeleteFlowLogs", ask: r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"<flow_log>"}}}"#,
        answer: r#"{"DeleteFlowLogsResponse":{"xmlns":"http://ec2.amazonaws.com/doc/2016-11-15/","unsuccessful":"","requestId":"<uuid>"}}"#;
    "ec2": describe_flow_logs() = "DescribeFlowLogs", ask: r#"{"DescribeFlowLogsRequest":""}"#;
    "elasticloadbalancing": describe_load_balancers() = "DescribeLoadBalancers", ask: r#"{"pageSize":200}"#;
    "elasticloadbalancing": create_load_balancer(name, subnet) = "CreateLoadBalancer", ask: r#"{"name":"<name>","subnets":["<subnet>"],"scheme":"internet-facing","type":"application"}"#,
        answer: r#"{"loadBalancers":[{"loadBalancerArn":"arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<id>","loadBalancerName":"<name>","scheme":"internet-facing","state":{"code":"provisioning"},"type":"application"}]}"#;
    "elasticloadbalancing": create_target_group(name, vpc) = "CreateTargetGroup", ask: r#"{"name":"<name>","protocol":"HTTP","port":80,"vpcId":"<vpc>","targetType":"ip"}"#,
        answer: r#"{"targetGroups":[{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>","targetGroupName":"<name>","protocol":"HTTP","port":80,"vpcId":"<vpc>","targetType":"ip"}]}"#;
    "elasticloadbalancing": describe_target_health(group) = "DescribeTargetHealth", ask: r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<group>","targets":[]}"#;
    "elasticloadbalancing": register_targets(group, instance) = "RegisterTargets", ask: r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<group>","targets":[{"id":"<instance>"}]}"#;
    "elasticloadbalancing": deregister_targets(group, instance) = "DeregisterTargets", ask: r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<group>","targets":[{"id":"<instance>"}]}"#;
    "autoscaling": describe_auto_scaling_groups() = "DescribeAutoScalingGroups", ask: r#"{"maxRecords":100}"#;
    "autoscaling": terminate_instance_in_auto_scaling_group(instance) = "TerminateInstanceInAutoScalingGroup", ask: r#"{"instanceId":"<instance>","shouldDecrementDesiredCapacity":false}"#,
        answer: r#"{"activity":{"activityId":"<uuid>","statusCode":"InProgress","progress":0}}"#;
    "autoscaling": set_desired_capacity(group, n) = "SetDesiredCapacity", ask: r#"{"autoScalingGroupName":"<group>","desiredCapacity":<n>,"honorCooldown":false}"#;
    "route53": change_resource_record_sets(zone, name) = "ChangeResourceRecordSets", ask: r#"{"hostedZoneId":"<zone>","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"<name>","type":"CNAME","tTL":60}}]}}"#,
        answer: r#"{"changeInfo":{"id":"/change/C<capitals>","status":"PENDING","submittedAt":"<now>"}}"#;
    "route53": list_hosted_zones() = "ListHostedZones";
}
