# Two ways to Prometheus, both optional: a collector beside each service that writes to Amazon Managed Prometheus, or
# names in a private DNS zone for a Prometheus of your own to scrape.

locals {
  remote_write_region = try(regex("^https://aps-workspaces\\.([a-z0-9-]+)\\.", var.prometheus_remote_write_url)[0], local.region)

  collector_config = {
    for service in keys(local.services) : service => {
      extensions = {
        health_check = {}
        sigv4auth    = { region = local.remote_write_region, service = "aps" }
      }
      receivers = {
        prometheus = {
          config = {
            scrape_configs = [{
              job_name        = service
              scrape_interval = "30s"
              static_configs  = [{ targets = ["127.0.0.1:${local.metrics_port}"] }]
            }]
          }
        }
      }
      processors = {
        resourcedetection = { detectors = ["ecs"] }
        # The label "instance": every task scrapes the same address, so the address tells no task from another.
        resource = { attributes = [{ key = "service.instance.id", from_attribute = "aws.ecs.task.arn", action = "upsert" }] }
        batch    = {}
      }
      exporters = {
        prometheusremotewrite = {
          endpoint = var.prometheus_remote_write_url
          auth     = { authenticator = "sigv4auth" }
        }
      }
      service = {
        extensions = ["health_check", "sigv4auth"]
        pipelines = {
          metrics = {
            receivers  = ["prometheus"]
            processors = ["resourcedetection", "resource", "batch"]
            exporters  = ["prometheusremotewrite"]
          }
        }
      }
    }
  }
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  count = var.service_discovery_namespace == null ? 0 : 1

  name        = var.service_discovery_namespace
  description = "Where Prometheus finds Headcount's tasks"
  vpc         = var.vpc_id
  tags        = local.tags
}

resource "aws_service_discovery_service" "service" {
  for_each = var.service_discovery_namespace == null ? {} : local.services

  name          = each.value.slug
  description   = "Headcount's ${each.key}: scrape port ${local.metrics_port}"
  force_destroy = true # a task that is just ending must not keep it
  tags          = local.tags

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this[0].id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  # ECS tells the health; no check of Route 53's.
  health_check_custom_config {
    failure_threshold = 1
  }
}
