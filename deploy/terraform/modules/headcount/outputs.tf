output "events_stream_arn" {
  description = "ARN of the Kinesis stream that the consumer reads."
  value       = local.events_stream_arn
}

output "table_names" {
  description = "Names of the six data tables: player, level, transitions, progress, history, dead_letter."
  value       = { for table, made in aws_dynamodb_table.data : table => made.name }
}

output "level_table_arn" {
  description = "ARN of LevelState, for whoever reads the counts."
  value       = local.table_arns.level
}

output "transitions_table_arn" {
  description = "ARN of Transitions, for whoever reads the moves."
  value       = local.table_arns.transitions
}

output "player_table_stream_arn" {
  description = "ARN of PlayerState's present stream."
  value       = aws_dynamodb_table.data["player"].stream_arn
}

output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "Names of the ECS services, by service."
  value       = { for service, it in local.services : service => it.slug }
}

output "task_role_arns" {
  description = "ARNs of the task roles, by service: a customer key's policy must let them decrypt."
  value       = { for service, role in aws_iam_role.task : service => role.arn }
}

output "execution_role_arn" {
  description = "ARN of the role that pulls images and writes logs."
  value       = aws_iam_role.execution.arn
}

output "security_group_id" {
  description = "Security group of the tasks: what VPC endpoints must let in on port 443."
  value       = aws_security_group.task.id
}

output "log_group_names" {
  description = "Names of the log groups, by service."
  value       = { for service, group in aws_cloudwatch_log_group.service : service => group.name }
}

output "metrics_names" {
  description = "DNS names that list the tasks to scrape on port 9464, by service; empty without service_discovery_namespace."
  value       = { for service, it in aws_service_discovery_service.service : service => "${it.name}.${var.service_discovery_namespace}" }
}

output "game_map_dns_name" {
  description = "Where the map's load balancer is: what your map's name is to be an alias of. Null without a map."
  value       = one(aws_lb.map[*].dns_name)
}

output "game_map_zone_id" {
  description = "Route 53's zone of that name, for the alias. Null without a map."
  value       = one(aws_lb.map[*].zone_id)
}

output "game_map_load_balancer_arn" {
  description = "ARN of the map's load balancer, for a web ACL of yours. Null without a map."
  value       = one(aws_lb.map[*].arn)
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic for alarms; null if none was made."
  value       = one(aws_sns_topic.alarms[*].arn)
}
