output "events_stream_arn" {
  description = "Stream for Snowplow Enrich to write to."
  value       = module.headcount.events_stream_arn
}

output "table_names" {
  description = "The tables; LevelState holds the counts."
  value       = module.headcount.table_names
}

output "cluster_name" {
  description = "ECS cluster with the services."
  value       = module.headcount.cluster_name
}

output "game_map_dns_name" {
  description = "The map's load balancer; let your map's name be an alias of it. Null without a map."
  value       = module.headcount.game_map_dns_name
}

output "log_group_names" {
  description = "Logs, by service."
  value       = module.headcount.log_group_names
}

output "prometheus_query_url" {
  description = "Data source for Grafana: Amazon Managed Prometheus, signed with SigV4."
  value       = aws_prometheus_workspace.headcount.prometheus_endpoint
}
