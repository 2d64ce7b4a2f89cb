data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Facts that the Python code knows too; its tests compare them: tests/terraform.
  tables        = jsondecode(file("${path.module}/tables.json"))
  permissions   = jsondecode(file("${path.module}/permissions.json"))
  setting_names = jsondecode(file("${path.module}/settings.json"))

  tags = merge(var.tags, { application = var.application, (var.cost_tag.key) = var.cost_tag.value })

  metrics_port = 9464
  map_port     = 8080

  # By the name of the Python package; "application" is the KCL's, where the service has one.
  every_service = {
    consumer = {
      slug        = "consumer"
      application = "${var.application}-consumer"
      image       = var.images.consumer
      size        = var.task_size.consumer
    }
    level_aggregator = {
      slug        = "level-aggregator"
      application = "${var.application}-level-aggregator"
      image       = var.images.level_aggregator
      size        = var.task_size.level_aggregator
    }
    pruner = {
      slug        = "pruner"
      application = null
      image       = var.images.pruner
      size        = var.task_size.pruner
    }
    game_map = {
      slug        = "game-map"
      application = null
      image       = var.images.game_map
      size        = var.task_size.game_map
    }
  }

  services = { for service, it in local.every_service : service => it if service != "game_map" || var.game_map != null }

  snapshots = var.game_map == null ? [] : var.game_map.snapshots[*] # one at most

  kcl_applications = { for service, it in local.services : service => it.application if it.application != null }
}
