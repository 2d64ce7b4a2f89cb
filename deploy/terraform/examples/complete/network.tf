# Two zones, tasks in private subnets, one NAT gateway. What moves much goes round the NAT, which costs by the gigabyte:
# events by an interface endpoint for Kinesis, tables by a gateway endpoint, image layers by one for S3.

locals {
  zones = [for letter in var.zones : "${var.region}${letter}"]
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs are the account's matter, not an example's.
  cidr_block           = "10.20.0.0/20"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "headcount" }
}

# Nobody uses it, so nothing may pass.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, index(local.zones, each.key))
  tags              = { Name = "headcount-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, 8 + index(local.zones, each.key))
  tags              = { Name = "headcount-private-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "headcount" }
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  tags       = { Name = "headcount-nat" }
  depends_on = [aws_internet_gateway.this]
}

# One for both zones is half the price; if its zone fails, the other's tasks wait, and lose nothing.
resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public[local.zones[0]].id
  tags          = { Name = "headcount" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "headcount-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "headcount-private" }
}

resource "aws_route" "nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = [aws_route_table.private.id]
  tags              = { Name = "headcount-s3" }
}

resource "aws_vpc_endpoint" "kinesis" {
  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.kinesis-streams"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  tags                = { Name = "headcount-kinesis" }
}

resource "aws_security_group" "endpoints" {
  name        = "headcount-endpoints"
  description = "VPC endpoints: HTTPS from the tasks"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "headcount-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "HTTPS from Headcount's tasks"
  referenced_security_group_id = module.headcount.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
