resource "aws_security_group" "task" {
  name        = "${var.name}-task"
  description = "Tasks of Headcount: out to AWS over HTTPS, in for Prometheus only"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-task" })
}

# AWS's endpoints have no fixed addresses; DNS goes to the VPC's own resolver, which security groups let through.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.task.id
  description       = "HTTPS to AWS's endpoints"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  count = var.metrics_source_security_group_id == null ? 0 : 1

  security_group_id            = aws_security_group.task.id
  description                  = "Prometheus scrapes the metrics"
  referenced_security_group_id = var.metrics_source_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.metrics_port
  to_port                      = local.metrics_port
  tags                         = local.tags
}

# For the tables only: DynamoDB Streams, which the aggregator reads, has interface endpoints but no gateway.
resource "aws_vpc_endpoint" "dynamodb" {
  count = length(var.dynamodb_gateway_route_table_ids) == 0 ? 0 : 1

  vpc_id            = var.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.dynamodb"
  route_table_ids   = var.dynamodb_gateway_route_table_ids
  tags              = merge(local.tags, { Name = "${var.name}-dynamodb" })
}
