import json
from bedrock_agentcore import BedrockAgentCoreApp

app = BedrockAgentCoreApp()

async def answer(prompt):
    for word in f"You said: {prompt}".split(): yield word + " "    # your model

@app.websocket
async def websocket_handler(websocket, context):
    await websocket.accept()
    async for request in websocket.iter_json():    # one turn of the session after the other
        try:
            async for token in answer(request["prompt"]):
                await websocket.send_text(json.dumps({"chunk": token}))
            await websocket.send_text("[DONE]")
        except Exception as error:
            await websocket.send_text(json.dumps({"type": "error", "message": str(error)}))

app.run()
