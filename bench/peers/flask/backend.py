from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(body="Je suis une réponse du backend")
