# Headcount beside a Snowplow pipeline that is there: its stream, its VPC, a Prometheus of your own.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

module "headcount" {
  source = "../../modules/headcount"

  images     = var.images
  vpc_id     = var.vpc_id
  subnet_ids = var.private_subnet_ids

  create_events_stream      = false
  events_stream_name        = var.events_stream_name
  events_stream_kms_key_arn = var.events_stream_kms_key_arn

  # Another reader's stream: begin with what comes, and leave it four of its five reads a second and shard.
  settings = {
    HEADCOUNT_INITIAL_POSITION  = "LATEST"
    HEADCOUNT_POLL_MILLISECONDS = "1000"
  }

  service_discovery_namespace      = "headcount.internal"
  metrics_source_security_group_id = var.prometheus_security_group_id
  alarm_actions                    = var.alarm_topic_arns
}
