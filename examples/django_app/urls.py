"""The shop's routes."""

import views
from django.urls import path

urlpatterns = [
    path("orders", views.create_order),
    path("orders/<int:order_id>", views.get_order),
    path("customers", views.find_customers),
    path("sessions", views.log_in),
    path("uploads", views.upload),
    path("events", views.stream_events),
    path("fail", views.fail),
    path("healthz", views.check_health),
]
