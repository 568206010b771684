variable "table_prefix" {
  description = "DYNAMODB_TABLE_PREFIX."
  type        = string
  default     = "roster-"
}

variable "deletion_protection" {
  description = "Whether AWS rejects deleting the tables and the load balancer."
  type        = bool
  default     = true
}

variable "alarm_topics" {
  description = "The ARNs of SNS topics for alarms."
  type        = list(string)
  default     = []
}

variable "name" {
  description = "The name of the service and of what belongs to it."
  type        = string
  default     = "roster"
}

variable "image" {
  description = "The image, as in 123456789012.dkr.ecr.eu-central-1.amazonaws.com/roster:0.11.0. Better by digest."
  type        = string
}

variable "cpu_architecture" {
  description = "That of the image: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
}

variable "public_url" {
  description = "ROSTER_PUBLIC_URL, as in https://accounts.example.com. Its name must lead to the load balancer."
  type        = string
}

variable "certificate_arn" {
  description = "A certificate of AWS Certificate Manager for the host of public_url."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the subnets."
  type        = string
}

variable "public_subnets" {
  description = "For the load balancer, in two zones or more."
  type        = list(string)
}

variable "private_subnets" {
  description = "For the service, with a way to DynamoDB, Secrets Manager, CloudWatch Logs, the registry and the mail server."
  type        = list(string)
}

variable "smtp_host" {
  description = "ROSTER_SMTP_HOST, as in email-smtp.eu-central-1.amazonaws.com."
  type        = string
}

variable "smtp_username" {
  description = "ROSTER_SMTP_USERNAME."
  type        = string
}

variable "smtp_password_arn" {
  description = "The ARN of a secret of AWS Secrets Manager whose text is ROSTER_SMTP_PASSWORD."
  type        = string
}

variable "mail_from" {
  description = "ROSTER_MAIL_FROM, as in Acme <accounts@example.com>."
  type        = string
}

variable "cpu" {
  description = "Processor units of a task; 1024 are one core."
  type        = number
  default     = 1024
}

variable "memory" {
  description = "Megabytes of a task."
  type        = number
  default     = 2048
}

variable "workers" {
  description = "ROSTER_WORKERS, one for each core."
  type        = number
  default     = 1
}

variable "min_tasks" {
  description = "The least number of tasks."
  type        = number
  default     = 2
}

variable "max_tasks" {
  description = "The greatest number of tasks."
  type        = number
  default     = 6
}

variable "log_retention_days" {
  description = "How long the log is kept; it has the security log."
  type        = number
  default     = 90
}
