import os

import requests
from flask import Flask, jsonify

app = Flask(__name__)
backend = f"http://127.0.0.1:{os.environ['BACKEND_PORT']}/"
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))


@app.get("/")
def index():
    answer = session.get(backend, timeout=5)
    if answer.status_code != 200:
        return jsonify(error_message=f"GET / on backend API {answer.status_code}", status="[ERROR]"), 502
    return jsonify({"return": answer.json(), "status": "[SUCESS]"})
