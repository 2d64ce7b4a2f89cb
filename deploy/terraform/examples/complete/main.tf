# Headcount from nothing: its own network, its own stream, metrics in Amazon Managed Prometheus, alarms by mail.

resource "aws_prometheus_workspace" "headcount" {
  alias = "headcount"
}

module "headcount" {
  source = "../../modules/headcount"

  images = {
    consumer         = "${var.registry}/headcount-consumer:${var.image_tag}"
    level_aggregator = "${var.registry}/headcount-level-aggregator:${var.image_tag}"
    pruner           = "${var.registry}/headcount-pruner:${var.image_tag}"
    game_map         = "${var.registry}/headcount-game-map:${var.image_tag}"
  }

  vpc_id     = aws_vpc.this.id
  subnet_ids = [for subnet in aws_subnet.private : subnet.id]

  dynamodb_gateway_route_table_ids = [aws_route_table.private.id]

  events_stream_name   = "enriched-good"
  events_stream_shards = var.shards
  app_ids              = var.app_ids

  game_map = var.map_certificate_arn == null ? null : {
    certificate_arn = var.map_certificate_arn
    subnet_ids      = [for subnet in aws_subnet.public : subnet.id]
    client_cidrs    = var.map_client_cidrs
  }

  prometheus_remote_write_url = "${aws_prometheus_workspace.headcount.prometheus_endpoint}api/v1/remote_write"

  create_alarm_topic  = true
  alarm_emails        = var.alarm_emails
  monthly_budget      = length(var.alarm_emails) == 0 ? null : { usd = var.monthly_budget_usd, emails = var.alarm_emails }
  deletion_protection = var.deletion_protection

  depends_on = [aws_route.nat, aws_route_table_association.private, aws_route_table_association.public] # without a way out no task starts
}
